#include "check_values.h"

#include "memory.h"

enum { SLACK = 64 }; /* a vector may be read past a value's end */

/* ---- values elsewhere: the image, what the caller gives and gets, losses and gradients ---- */

static bool is_given(const Checker *c, const Node *node)
{
    return node == c->program->given || (node->op->arity == 0 && !c->program->given);
}

static bool is_elsewhere(const Checker *c, const Node *node)
{
    return is_given(c, node) || node == c->program->result || node_is_loss(node)
           || c->gradient[node->id];
}

static void read_elsewhere(Checker *c, const Node *node)
{
    if (!is_given(c, node) && (c->gradient[node->id] || !c->made[node->id]))
        checker_find(c, "it reads %s, which %s", node->name,
                     c->gradient[node->id] ? "is a sum over images" : "no step has made before");
}

static void write_elsewhere(Checker *c, const Node *node)
{
    const bool backward = c->s >= c->program->forward_count;
    if (is_given(c, node))
        checker_find(c, "it writes to %s, which the caller gives", node->name);
    if (c->made[node->id]++)
        checker_find(c, "it makes %s a second time", node->name);
    const int parameter = c->gradient[node->id];
    if (parameter && graph_statistic(c->plan->graph, c->program->stage, parameter - 1))
        return;
    if (!c->program->result && backward == node_is_loss(node))
        checker_find(c, "it makes %s %s the loss is known", node->name,
                     backward ? "after" : "before");
}

static void want_made(Checker *c, const Node *node)
{
    if (!c->made[node->id])
        checker_find(c, "no step makes %s", node->name);
}

static void check_results(Checker *c)
{
    const Graph *graph = c->plan->graph;
    const Program *p = c->program;
    c->s = -1;
    if (p->result) {
        if (!is_given(c, p->result))
            want_made(c, p->result);
        return;
    }
    want_made(c, graph_loss(graph, p->stage));
    for (int i = 0; i < graph->parameter_count; i++)
        for (Node *all = graph_gradient(graph, p->stage, i); all; all = gradient_before(all))
            want_made(c, gradient_last(all));
}

/* ---- values in the workspace ---- */

static int value_place(const Checker *c, const Node *node)
{
    int place = c->latest[node->id];
    while (place && c->program->buffers[place - 1].made > c->s)
        place = c->before[place - 1];
    return place;
}

/* The place of the argument's buffer; 0: it has none. */
static int buffer_place(const Checker *c, const Argument *a)
{
    if (a->scratch)
        return c->scratch[c->s];
    if (a->sum)
        return c->sum[c->s];
    return a->node && !is_elsewhere(c, a->node) ? value_place(c, a->node) : 0;
}

static bool needs_buffer(const Checker *c, const Argument *a)
{
    return a->scratch || a->sum || (a->node && !is_elsewhere(c, a->node));
}

static const char *argument_text(const Argument *a)
{
    if (a->node)
        return a->node->name;
    return a->scratch ? "its scratch memory" : "its sum over a chunk";
}

/* A library calls a phase for one image after the other. */
static bool goes_by_phases(const Checker *c)
{
    return c->program->grouped && c->plan->settings.library;
}

/* Whether its functions take several images. */
static bool takes_images(const Checker *c)
{
    return c->plan->microbatch > 1 || (c->program->grouped && !goes_by_phases(c));
}

static bool is_by_image(const Checker *c, const Step *step)
{
    if (step_takes_group(step))
        return false;
    return goes_by_phases(c) || (takes_images(c) && !step->kernel->batched);
}

/* How many images' values the buffer has room for, of how many that live there at once. */
static void check_copies(Checker *c, const Buffer *b)
{
    const int microbatch = c->plan->microbatch, *segment = c->program->segment;
    if (b->shared)
        return;
    if (c->program->phase[c->s] != c->program->phase[b->made])
        checker_find(c, "%s has room for one image of the group", checker_buffer(b));
    if (takes_images(c) && b->copies == 1
        && (checker_step(c)->kernel->batched || segment[c->s] != segment[b->made]))
        checker_find(c, "%s has room for one image of the microbatch", checker_buffer(b));
    if (b->copies != 1 && b->copies != microbatch)
        checker_find(c, "%s is of %d images and the microbatch of %d", checker_buffer(b), b->copies,
                     microbatch);
}

static void check_room(Checker *c, const Argument *a, const Buffer *b)
{
    const size_t type = a->node && a->node->type == TYPE_PIXEL
                            ? 1
                            : (size_t)settings_real_bytes(&c->plan->settings);
    size_t values = a->scratch ? checker_step(c)->scratch : a->sum;
    if (a->node)
        values = plan_value_count(a->node) * (size_t)b->copies;
    if (b->bytes < values * type + SLACK)
        checker_find(c, "%s is too small for %zu bytes and %d more", checker_buffer(b),
                     values * type, SLACK);
    if (c->s < b->first || c->s > b->last)
        checker_find(c, "%s does not live here", checker_buffer(b));
    if (a->node)
        check_copies(c, b);
}

/* The argument's bytes are its own. */
static void want_held(Checker *c, const Argument *a)
{
    const int place = buffer_place(c, a);
    if (!needs_buffer(c, a))
        return;
    if (!place) {
        checker_find(c, "%s does not lie in the workspace", argument_text(a));
        return;
    }
    const Buffer *b = &c->program->buffers[place - 1];
    const int holder = checker_holder(c, b);
    check_room(c, a, b);
    if (holder != place)
        checker_find(c, "%s should be in %s, where %s is", argument_text(a), checker_buffer(b),
                     checker_holder_text(c, holder));
}

static void read_argument(Checker *c, const Argument *a)
{
    if (a->node && step_writes(checker_step(c), a->node))
        return;
    if (a->node && is_elsewhere(c, a->node))
        read_elsewhere(c, a->node);
    else if (a->node || a->sum)
        want_held(c, a);
}

/* Whether every image of those that go through a segment has bytes of its own in it. */
static bool keeps_images(const Buffer *b)
{
    return b->shared || b->copies > 1;
}

/* What outlives its segment has a place for each image: no image writes to those of others. */
static void write_argument(Checker *c, const Argument *a)
{
    const int place = buffer_place(c, a);
    if (a->node && !step_writes(checker_step(c), a->node))
        return;
    if (a->node && is_elsewhere(c, a->node)) {
        if (!c->later)
            write_elsewhere(c, a->node);
    } else if (place && !a->sum
               && !(c->later && a->node && keeps_images(&c->program->buffers[place - 1]))) {
        checker_give(c, &c->program->buffers[place - 1], place);
    }
}

/* All that it reads is there, and still is when it has written everything. */
static void follow_step(Checker *c)
{
    const Step *step = checker_step(c);
    for (int i = 0; i < step->argument_count; i++)
        read_argument(c, &step->arguments[i]);
    for (int i = 0; i < step->argument_count; i++)
        write_argument(c, &step->arguments[i]);
    for (int i = 0; i < step->argument_count; i++)
        want_held(c, &step->arguments[i]);
}

/* ---- a program ---- */

static void zero_sums(Checker *c)
{
    for (int s = 0; s < c->program->count; s++)
        if (c->sum[s])
            checker_give(c, &c->program->buffers[c->sum[s] - 1], c->sum[s]);
}

/* Sums are added to the gradients at the end of the chunk. */
static void flush_sums(Checker *c)
{
    for (c->s = 0; c->s < c->program->count; c->s++)
        for (int i = 0; i < checker_step(c)->argument_count; i++)
            if (checker_step(c)->arguments[i].sum)
                want_held(c, &checker_step(c)->arguments[i]);
}

/* A step that takes the microbatch at once stands alone, and no segment goes on from forward to
   backward: they are functions of their own. */
static void check_run(Checker *c, int from, int to)
{
    const Program *p = c->program;
    for (c->s = from; c->s < to; c->s++)
        if ((to > from + 1 && checker_step(c)->kernel->batched)
            || (c->s > from && c->s == p->forward_count && !p->grouped))
            checker_find(c, "its segment of steps from %d to %d is done image by image", from,
                         to - 1);
}

static void follow_run(Checker *c, int from, int to)
{
    /* the first one, and one that stands for all later ones */
    const int images = is_by_image(c, c->program->steps[from]) ? 2 : 1;
    for (int image = 0; image < images; image++) {
        c->later = image > 0;
        for (c->s = from; c->s < to; c->s++)
            follow_step(c);
    }
    if (c->plan->microbatch > 1)
        check_run(c, from, to);
}

void check_values(Checker *c)
{
    const Program *p = c->program;
    const int *run = goes_by_phases(c) ? p->phase : p->segment;
    zero_sums(c);
    for (int from = 0, to; from < p->count; from = to) {
        for (to = from + 1; to < p->count && run[to] == run[from]; to++)
            ;
        follow_run(c, from, to);
    }
    flush_sums(c);
    check_results(c);
}
