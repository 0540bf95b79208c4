#include "stages.h"

#include "../base/arena.h"
#include "arguments.h"
#include "losses.h"
#include "references.h"

#include <string.h>

enum { MAX_STAGES = 64 };

static const char example[] =
    "{ { encoder = \"pool1\", decoder = \"conv3\", epochs = 5 }, { epochs = 20 } }";

/* One entry of the list and where it stands. */
typedef struct Entry {
    lua_State *L;
    Graph *graph;
    ArgumentPlaces places;
    int last_layer;        /* of the encoder: its place in graph->layers */
    Stage *stage, *before; /* before: NULL, of the first */
} Entry;

static Loc place(const Entry *e, const char *name)
{
    if (e->places.at < 0)
        return e->places.loc;
    return source_argument(e->places.source, e->places.at,
                           arena_format("%s%s", e->places.prefix, name));
}

/* The field that names a layer, at the top of the stack: its place in graph->layers. A name without
   a part is one of the part that the field is about. */
static int find_layer(Entry *e, const char *field)
{
    const Graph *graph = e->graph;
    bool encoder = strcmp(field, "encoder") == 0;
    int first = encoder ? 0 : e->last_layer + 1,
        last = encoder ? e->last_layer : graph->layer_count - 1;
    const char *part = graph->layers[first].part, *name = read_name(e->L);
    Loc loc = place(e, field);
    if (!name || strlen(name) > 200)
        fail(loc, "stages: %s wants the name of a layer of the %s, such as \"%s\", not a %s", field,
             field, strchr(graph->layers[first].name, '.') + 1,
             name ? "longer one" : lua_typename(e->L, lua_type(e->L, -1)));
    const char *full = strchr(name, '.') ? name : arena_format("%s.%s", part, name);
    for (int i = 0; i < graph->layer_count; i++)
        if (strcmp(graph->layers[i].name, full) == 0) {
            if (i < first || i > last)
                fail(loc, "stages: %s is no layer of the %s; name one that is", full, field);
            return i;
        }
    fail(loc, "stages: there is no layer '%.80s'; did you mean %s?", full,
         references_nearest(graph, full));
}

/* Layers follow those of the stage before: of the encoder the next ones, of the decoder the ones
   that lead to them. */
static void check_order(const Entry *e)
{
    const Stage *p = e->stage;
    const LayerRow *rows = e->graph->layers;
    if (p->encoder_first > p->encoder_last)
        fail(place(e, "encoder"),
             "stages: %s is trained by an earlier stage; name a layer after %s",
             rows[p->encoder_last].name, rows[p->encoder_first - 1].name);
    if (p->decoder_first > p->decoder_last)
        fail(place(e, "decoder"),
             "stages: %s is trained by an earlier stage; name a layer before %s",
             rows[p->decoder_first].name, rows[p->decoder_last + 1].name);
}

static void check_layers(const Entry *e)
{
    const Graph *graph = e->graph;
    const Stage *p = e->stage;
    const LayerRow *cut = &graph->layers[p->encoder_last], *next = &graph->layers[p->decoder_first];
    const Shape enters = graph->layers[p->decoder_first - 1].shape;
    int64_t parameters = 0, rests = 0;
    check_order(e);
    if (!shape_equal(cut->shape, enters))
        fail(place(e, "decoder"), "stages: %s reads %s, but %s gives %s; both must be equal",
             next->name, shape_text(enters), cut->name, shape_text(cut->shape));
    for (int i = 0; i < graph->layer_count; i++)
        if (stage_trains(p, i)) {
            parameters += graph->layers[i].parameters - graph->layers[i].non_trainable;
            rests += graph->layers[i].non_trainable;
        }
    if (!parameters)
        fail(p->loc, "stages: the layers of this stage have nothing to train%s",
             rests ? ": they have trainable = false; let the stage before or after take them, or "
                     "train one of them"
                   : "; let it reach as far as a layer with weights");
}

static bool keeps_shares(const Node *node)
{
    const Op *op = node->op;
    return op->view || op->training_only || op->keeps_unit_range
           || (op->unit_range_kept && op->unit_range_kept(node));
}

/* Whether the values lie between 0 and 1 by themselves. A stage's decoder reads `cut`, where the
   whole network's reads `enters`. */
static bool gives_shares(const Node *node, const Node *enters, const Node *cut)
{
    for (;; node = node->input[0]) {
        if (node == enters)
            node = cut;
        if (!keeps_shares(node))
            return node->type == TYPE_PIXEL || node->op->gives_unit_range;
    }
}

static const char *wants_shares(const LossSum *loss)
{
    for (int i = 0; i < loss->count; i++)
        if (loss_find(loss->terms[i].choice.word)->wants_unit_range)
            return loss->terms[i].choice.word;
    return NULL;
}

/* The loss of a stage: its own, else the network's, where the values of its target and its output
   let it. `given`: NULL, it has none of its own. */
static void choose_loss(const Entry *e, const LossSum *given)
{
    const Graph *graph = e->graph;
    Stage *p = e->stage;
    const LayerRow *target = p->encoder_first > 0 ? &graph->layers[p->encoder_first - 1] : NULL,
                   *output = &graph->layers[p->decoder_last];
    const Node *enters = graph->layers[p->decoder_first - 1].output,
               *cut = graph->layers[p->encoder_last].output;
    bool target_shares = !target || gives_shares(target->output, NULL, NULL);
    p->loss = given ? *given : loss_at(&graph->training.loss, p->loc);
    const char *wanting = wants_shares(&p->loss);
    if (!wanting)
        return;
    if (given && !target_shares)
        fail(given->loc,
             "stages: %s wants a target of values from 0 to 1, as a sigmoid gives, but this "
             "stage's is %s",
             wanting, target->name);
    if (!given && !(target_shares && gives_shares(output->output, enters, cut)))
        p->loss = loss_of_word(loss_specs[0]->word, p->loc);
}

static void read_whole(Entry *e, const LossSum *loss)
{
    Stage *p = e->stage;
    if (loss)
        fail(loss->loc,
             "stages: the loss of all layers together stands in training; move it there");
    p->whole = true;
    p->loss = e->graph->training.loss;
    p->encoder_last = e->last_layer;
    p->decoder_first = e->last_layer + 1;
    p->decoder_last = e->graph->layer_count - 1;
}

static void read_part(Entry *e, const LossSum *loss)
{
    lua_State *L = e->L;
    Stage *p = e->stage;
    lua_getfield(L, -1, "encoder");
    p->encoder_last = find_layer(e, "encoder");
    lua_pop(L, 1);
    lua_getfield(L, -1, "decoder");
    p->decoder_first = find_layer(e, "decoder");
    lua_pop(L, 1);
    p->encoder_first = e->before ? e->before->encoder_last + 1 : 0;
    p->decoder_last = e->before ? e->before->decoder_first - 1 : e->graph->layer_count - 1;
    check_layers(e);
    choose_loss(e, loss);
}

static bool has(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    bool there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return there;
}

static double schedule_number(const Choice *schedule, const char *name)
{
    const ArgSpec *specs = schedule_find(schedule->word)->args;
    for (int i = 0; specs[i].name; i++)
        if (strcmp(specs[i].name, name) == 0)
            return schedule->number[i];
    return 0;
}

/* Each stage begins the schedule anew; a cosine without `epochs` is as long as the stage. */
static void check_warmup(const Entry *e)
{
    const Choice *schedule = &e->graph->training.schedule;
    double warmup = schedule_number(schedule, "warmup");
    if (strcmp(schedule->word, "cosine") == 0 && schedule_number(schedule, "epochs") == 0
        && warmup >= e->stage->epochs)
        fail(place(e, "epochs"),
             "stages: the schedule's warmup of %.15g epochs leaves nothing of a stage of %d; use a "
             "shorter warmup or more epochs",
             warmup, e->stage->epochs);
}

/* A stage names what it trains in both parts, and only the last, which trains all layers, names
   nothing. */
static void check_parts(const Entry *e, bool encoder, bool decoder, bool last)
{
    if (encoder != decoder)
        fail(
            place(e, encoder ? "encoder" : "decoder"),
            "stages: a stage wants both encoder and decoder, or none to train all layers together");
    if (encoder && last)
        fail(e->places.loc, "stages: the last stage trains all layers together: { epochs = 20 }");
    if (!encoder && !last)
        fail(e->places.loc,
             "stages: a stage of all layers together can only be the last; name what this one "
             "trains, as encoder = \"pool1\", "
             "decoder = \"conv3\"");
}

/* The entry's table is at the top of the stack. */
static void read_entry(Entry *e, bool last)
{
    enum { LOSS, EPOCHS };
    const Training *training = &e->graph->training;
    const ArgSpec specs[] = {
        { "loss", ARG_CHOICE, .choices = loss_words() },
        { "epochs", ARG_INT, .number = training->epochs, .min = 1, .max = 1 << 24 },
        { .name = NULL },
    };
    Arg args[MAX_ARGS];
    const bool sum = has_losses(e->L);
    read_arguments(e->L, &e->places, specs + sum, sum ? "encoder decoder loss" : "encoder decoder",
                   args + sum);
    LossSum loss = { 0 };
    if (sum)
        loss = load_losses(e->L, &e->places);
    else if (args[LOSS].text)
        loss = loss_of_word(args[LOSS].text, args[LOSS].loc);
    bool encoder = has(e->L, "encoder");
    check_parts(e, encoder, has(e->L, "decoder"), last);
    *e->stage = (Stage){ .loc = e->places.loc, .epochs = (int)args[EPOCHS].number };
    if (encoder)
        read_part(e, loss.count ? &loss : NULL);
    else
        read_whole(e, loss.count ? &loss : NULL);
    check_warmup(e);
}

/* The length of the list at the top of the stack. */
static int list_length(lua_State *L, Loc loc)
{
    if (!lua_istable(L, -1))
        fail(loc, "autoencoder: stages wants a list, such as %s", example);
    size_t count = lua_length(L, -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) < 1
            || lua_tonumber(L, -2) > (double)count)
            fail(loc, "autoencoder: stages wants a list without names and holes, such as %s",
                 example);
        lua_pop(L, 1);
    }
    if (count < 2 || count > MAX_STAGES)
        fail(loc,
             "autoencoder: stages wants 2 to %d stages, such as %s; without it all layers are "
             "trained together",
             MAX_STAGES, example);
    return (int)count;
}

/* The entry of stage `number` of graph->stages, counted from 0; the list is at the top of the
   stack. */
static Entry open_entry(lua_State *L, const Source *source, const Word *model, Graph *graph,
                        int number)
{
    Loc loc = argument_loc(source, model, arena_format("stages.%d", number + 1));
    Entry e = { .L = L,
                .graph = graph,
                .stage = &graph->stages[number],
                .before = number ? &graph->stages[number - 1] : NULL };
    e.places = (ArgumentPlaces){ source, "stages", loc, model->at,
                                 arena_format("stages.%d.", number + 1) };
    while (strcmp(graph->layers[e.last_layer + 1].part, graph->layers[0].part) == 0)
        e.last_layer++;
    return e;
}

void load_stages(lua_State *L, const Source *source, const Word *model, Graph *graph)
{
    lua_getfield(L, -1, "stages");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    int count = list_length(L, argument_loc(source, model, "stages")), epochs = 0;
    graph->stages = ARENA_ARRAY(Stage, count);
    for (int i = 0; i < count; i++) {
        Entry e = open_entry(L, source, model, graph, i);
        lua_rawgeti(L, -1, i + 1);
        Word word;
        if (!lua_istable(L, -1) || read_word(L, source, &word))
            fail(e.places.loc,
                 "stages: stage %d is no table; a stage is written { encoder = \"pool1\", decoder "
                 "= \"conv3\", epochs = 5 }",
                 i + 1);
        read_entry(&e, i + 1 == count);
        lua_pop(L, 1);
        epochs += graph->stages[i].epochs;
    }
    graph->stage_count = count;
    graph->training.epochs = epochs;
    lua_pop(L, 1);
}
