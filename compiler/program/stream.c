#include "stream.h"

#include "../base/arena.h"
#include "choose.h"

#include <string.h>

enum { ALIGNMENT = 64, SLACK = 64 }; /* as in memory.c */

/* Whether some kernel makes the node by rows, or takes it in where it follows a core. */
static bool has_kernel(const Node *node)
{
    for (int i = 0; all_kernels[i]; i++)
        if (all_kernels[i]->rows && kernel_computes(all_kernels[i], node))
            return true;
    return false;
}

static bool is_view(const Node *node)
{
    return node_storage(node) != node;
}

/* Fails where layers cannot work by rows: names all that would have to go, at the one nearest to
   the image. Views, as reshape is one, are there for the others' sake: at one of them only where
   there is nothing else. */
static void check_rows(const Graph *graph)
{
    const Node *blamed = NULL, *last = NULL;
    const char *layers = "";
    int count = 0;
    for (const Node *node = graph->output; node != graph->input; node = node->input[0]) {
        if (has_kernel(node))
            continue;
        if (!last || strcmp(last->layer, node->layer) != 0) {
            layers = arena_format("%s%s%s", node->layer,
                                  count == 0   ? ""
                                  : count == 1 ? " and "
                                               : ", ",
                                  layers);
            count++;
        }
        if (!blamed || is_view(blamed) || !is_view(node))
            blamed = node;
        last = node;
    }
    if (blamed)
        fail(blamed->loc,
             "%s: with --stream all is computed row by row, but %s %s the whole image at once; do "
             "without %s or without --stream",
             blamed->word, layers, count == 1 ? "needs" : "need", count == 1 ? "it" : "them");
}

/* From the output up to the image there is one way only, by layers that work by rows, and the
   latent lies on it. */
static void check_chain(const Graph *graph)
{
    const Node *latent = NULL;
    for (const Node *node = graph->output; node != graph->input; node = node->input[0]) {
        if (node->op->inputs_from_layers)
            fail(node->loc,
                 "%s: with --stream a layer reads the one before it and no other, for of that one "
                 "only some rows are left; do without %s or "
                 "without --stream",
                 node->word, node->layer);
        latent = node == graph->latent ? node : latent;
    }
    check_rows(graph);
    if (!latent)
        fail(graph->output->loc,
             "%s: with --stream the decoder must begin with the latent, which is what the encoder "
             "computes last",
             graph->output->word);
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* The ring of a value; `reader`: the step that reads it, NULL after the last. */
static Ring ring_of(const Node *node, const Step *reader, size_t align)
{
    const int *dim = node->shape.dim;
    int left = reader ? reader->rows.left * dim[2] : 0,
        room = reader ? reader->rows.room : dim[1] * dim[2];
    return (Ring){ .node = node,
                   .rows = dim[0],
                   .depth = reader ? rows_depth(&reader->rows) : 1,
                   .left = left,
                   .room = (int)round_up((size_t)room, align) };
}

static void plan_rings(const Plan *plan, Program *p)
{
    const size_t bytes = (size_t)settings_real_bytes(&plan->settings), align = ALIGNMENT / bytes;
    size_t at = 0;
    p->rings = ARENA_ARRAY(Ring, p->count + 1);
    for (int i = 0; i <= p->count; i++) {
        const Node *node = i < p->count ? p->steps[i]->arguments[0].node : p->result;
        Ring *ring = &p->rings[i];
        *ring = ring_of(node, i < p->count ? p->steps[i] : NULL, align);
        ring->offset = at;
        at += (size_t)ring->depth * (size_t)ring->room;
        if (node == node_storage(plan->graph->latent))
            p->latent_ring = i;
    }
    size_t most = 0;
    for (int i = 0; i < p->count; i++)
        most = p->steps[i]->scratch > most ? p->steps[i]->scratch : most;
    p->scratch = most ? at : 0;
    at += most;
    p->bytes = round_up(at * bytes + SLACK, ALIGNMENT);
}

/* Rows that nobody reads, as a pool leaves over, are not computed; of latent and output all are. */
static void drop_rows(Program *p)
{
    int wanted = p->rings[p->count].rows;
    for (int i = p->count - 1; i >= 0; i--) {
        Step *step = ARENA_NEW(Step);
        *step = *p->steps[i];
        p->steps[i] = step;
        Rows *rows = &step->rows;
        rows->count = wanted * rows->pool < rows->count ? wanted * rows->pool : rows->count;
        wanted = rows_to(rows, rows->count - 1) + 1;
        if (wanted < 0) /* zeros above the image alone */
            wanted = 0;
        if (i == p->latent_ring || wanted > p->rings[i].rows)
            wanted = p->rings[i].rows;
    }
}

void plan_stream(Plan *plan)
{
    const Graph *graph = plan->graph;
    check_chain(graph);
    plan_steps(plan, &plan->stream, (Node *[]){ graph->latent, graph->output }, 2);
    plan_rings(plan, &plan->stream);
    drop_rows(&plan->stream);
}
