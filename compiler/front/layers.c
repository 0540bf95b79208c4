#include "layers.h"

#include "../base/arena.h"
#include "../ir/check.h"
#include "../ops/ops.h"
#include "arguments.h"
#include "names.h"
#include "script.h"

#include <math.h>
#include <string.h>

static LayerRow *add_layer_row(Graph *graph)
{
    graph->layers = arena_more(graph->layers, graph->layer_count, sizeof *graph->layers);
    return &graph->layers[graph->layer_count++];
}

/* The full name of the layer that is built next, whose arguments are at the top of the stack. */
static const char *layer_name(Loader *load, const Word *word)
{
    Graph *graph = load->graph;
    const char *full = load->names.name[graph->layer_count];
    Loc loc = word->loc;
    lua_getfield(load->L, -1, "name");
    if (!lua_isnil(load->L, -1)) {
        loc = argument_loc(&load->source, word, "name");
        check_name(loc, "name", read_name(load->L));
    }
    lua_pop(load->L, 1);
    for (int i = 0; i < graph->layer_count; i++) {
        if (strcmp(graph->layers[i].name, full) == 0)
            fail(loc, "%s: there is a layer called %s already; give this one another name",
                 word->word, full);
        if (names_clash(graph->layers[i].name, full))
            fail(loc, "%s: %s and %s would have the same name in C; choose another", word->word,
                 full, graph->layers[i].name);
    }
    return full;
}

/* What the word of a layer stands for. */
static const LayerSpec *find_spec(const Graph *graph, const Word *word)
{
    const LayerSpec *spec = layer_find(word->word);
    if (!spec)
        fail(word->loc, "%s: not a layer; layers are words such as conv2d and max_pool2d",
             word->word);
    if (graph->layer_count >= MAX_LAYERS)
        fail(word->loc, "%s: more than %d layers; take some out", word->word, MAX_LAYERS);
    return spec;
}

/* Numbers of the graph's parameters from `first` on, or of those alone that are not trained. */
static int64_t count_numbers(const Graph *graph, int first, bool all)
{
    int64_t count = 0;
    for (int i = first; i < graph->parameter_count; i++)
        if (all || graph->parameters[i].non_trainable)
            count += shape_count(graph->parameters[i].node->shape);
    return count;
}

/* Whether a layer or a part, whose arguments are at the top of the stack, has trainable = false. As
   in Keras that of a part holds for all its layers, so that true in one of them would be
   ignored. */
static bool reads_rests(Loader *load, const Word *word)
{
    static const ArgSpec spec = { "trainable", ARG_BOOL, .number = 1 };
    const ArgumentPlaces places = { &load->source, word->word, word->loc, word->at, "" };
    Arg arg;
    read_argument(load->L, &places, &spec, &arg);
    lua_getfield(load->L, -1, spec.name);
    const bool given = !lua_isnil(load->L, -1);
    lua_pop(load->L, 1);
    if (load->part_rests && given && arg.number)
        fail(arg.loc,
             "%s: trainable = true, but the part around it has trainable = false; take it from the "
             "part and give it to the layers that shall rest",
             word->word);
    return load->part_rests || !arg.number;
}

/* The names of what any layer may have besides its own arguments. */
static const char *common_names(void)
{
    const char *names = "name trainable";
    for (int i = 0; i < PENALTY_ARGS; i++)
        names = arena_format("%s %s", names, penalty_args[i].name);
    return names;
}

/* Its penalties; other arguments are read elsewhere. */
static void read_penalties(Loader *load, const ArgumentPlaces *places, Arg args[PENALTY_ARGS])
{
    lua_newtable(load->L);
    for (int i = 0; i < PENALTY_ARGS; i++) {
        lua_getfield(load->L, -2, penalty_args[i].name);
        lua_setfield(load->L, -2, penalty_args[i].name);
    }
    read_arguments(load->L, places, penalty_args, NULL, args);
    lua_pop(load->L, 1);
}

/* Of the layer's parameters, those from `first` on, its kernels: all but vectors. */
static void penalize_kernels(const Layer *layer, const Word *word, int first, const Arg *args)
{
    Graph *graph = layer->graph;
    const Arg *given = args[KERNEL_L1].number > 0 ? &args[KERNEL_L1] : &args[KERNEL_L2];
    bool kernels = false;
    for (int i = first; i < graph->parameter_count; i++) {
        Parameter *p = &graph->parameters[i];
        if (p->node->shape.rank < 2)
            continue;
        kernels = true;
        if (p->non_trainable) /* what rests is no part of the loss, as in Keras */
            continue;
        p->l1 = args[KERNEL_L1].number;
        p->l2 = args[KERNEL_L2].number;
    }
    if (given->number > 0 && layer->tied)
        fail(given->loc, "%s: has the kernel of %s; give %s to that layer", word->word, layer->tied,
             penalty_args[given - args].name);
    if (given->number > 0 && !kernels)
        fail(given->loc, "%s: has no kernel, so there is nothing to penalize; leave %s out",
             word->word, penalty_args[given - args].name);
}

/* One layer, whose table is at the top of the stack; returns its output. */
static Node *load_layer(Loader *load, const char *part, const Word *word, Node *x)
{
    Graph *graph = load->graph;
    const LayerSpec *spec = find_spec(graph, word);
    push_args(load->L, word);
    ArgumentPlaces places = { &load->source, word->word, word->loc, word->at, "" };
    Arg args[MAX_ARGS], penalties[PENALTY_ARGS];
    read_arguments(load->L, &places, spec->args, common_names(), args);
    read_penalties(load, &places, penalties);
    const bool rests = reads_rests(load, word);
    int parameters = graph->parameter_count;
    const char *name = layer_name(load, word);
    lua_pop(load->L, 1);
    const char *with = references_find(graph, &load->names, spec->word, spec->args, args);
    Layer layer = { .graph = graph,
                    .part = part,
                    .model = { .layer = name, .name = name, .word = spec->word, .loc = word->loc },
                    .rests = rests };
    x = spec->build(&layer, args, x);
    layer_activity(&layer, penalties, x);
    penalize_kernels(&layer, word, parameters, penalties);
    if (graph->layer_count && !layer.leaves)
        graph->layers[graph->layer_count - 1].read = true;
    *add_layer_row(graph) = (LayerRow){ .part = part,
                                        .name = name,
                                        .word = spec->word,
                                        .detail = layer.detail ? layer.detail : "",
                                        .with = with,
                                        .shape = x->shape,
                                        .parameters = count_numbers(graph, parameters, true),
                                        .non_trainable = count_numbers(graph, parameters, false),
                                        .loc = word->loc,
                                        .output = x };
    return x;
}

/* Something that is no layer stands in a list, at the top of the stack; `path` leads to it, "3", or
   "2.1" in a list inside the part's. */
_Noreturn static void refuse_item(Loader *load, const Word *part, const char *path)
{
    const char *kind = lua_typename(load->L, lua_type(load->L, -1)), *last = strrchr(path, '.');
    const char *word = lua_isfunction(load->L, -1) ? script_word(load->L) : NULL;
    const LayerSpec *spec = word ? layer_find(word) : NULL;
    if (!spec)
        fail(part->loc, "%s: layer %s is a %s; a layer is written conv2d { ... }", part->name,
             last ? last + 1 : path, kind);
    Loc loc = part->at >= 0 ? source_item(&load->source, part->at, path, word) : part->loc;
    fail(loc, "layer %s of \"%s\" is a function: write %s %s", path, part->name, word,
         spec->args[0].required ? "{ ... }" : "{}");
}

/* Refuses what is in a list of layers, at the top of the stack, beside its items 1 to `count`; in
   that of a part itself `trainable` may be. */
static void check_list(lua_State *L, const Word *part, size_t count, bool itself)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING && itself
            && strcmp(lua_tostring(L, -2), "trainable") == 0) {
            lua_pop(L, 1);
            continue;
        }
        if (lua_type(L, -2) != LUA_TNUMBER)
            fail(part->loc, "%s: wants a list of layers, but something in it is called '%s'",
                 part->name, lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?");
        double at = lua_tonumber(L, -2);
        if (at < 1 || at > (double)count || at != floor(at))
            fail(
                part->loc,
                "%s: the list of layers has a hole (a layer that is nil); look for a variable that "
                "is not set, or a function that returns nothing",
                part->name);
        lua_pop(L, 1);
    }
}

/* A list of layers (lists inside it count as if their layers stood there), at the top of the stack.
   `path`: "", or "2." in the list that is item 2. */
static Node *load_list(Loader *load, const Word *part, Node *x, int depth, const char *path)
{
    lua_State *L = load->L;
    if (depth > MAX_NESTING)
        fail(part->loc,
             "%s: lists inside lists more than %d deep; put their layers into the list itself",
             part->word, MAX_NESTING);
    size_t count = lua_length(L, -1);
    for (size_t i = 1; i <= count; i++) {
        if (load->loaded++ >= MAX_ITEMS)
            fail(part->loc,
                 "%s: more than %d entries in lists inside lists; leave out empty lists and layers",
                 part->name, MAX_ITEMS);
        luaL_checkstack(L, 8, "nested lists");
        lua_rawgeti(L, -1, (int)i);
        Word word;
        if (read_word(L, &load->source, &word))
            x = load_layer(load, part->name, &word, x);
        else if (lua_istable(L, -1))
            x = load_list(load, part, x, depth + 1, arena_format("%s%d.", path, (int)i));
        else
            refuse_item(load, part, arena_format("%s%d", path, (int)i));
        lua_pop(L, 1);
    }
    check_list(L, part, count, depth == 0);
    return x;
}

/* What inference has in a value's place, after layers of training alone and after views. */
static const Node *inference_value(const Node *node)
{
    while (node->op->training_only || node->op->view)
        node = node->input[0];
    return node;
}

Node *layers_load_part(Loader *load, const Word *model, const char *field, const char *other,
                       Node *x, const char **name)
{
    lua_State *L = load->L;
    Word part;
    lua_getfield(L, -1, field);
    Loc loc = argument_loc(&load->source, model, field);
    if (lua_isnil(L, -1))
        fail(model->loc, "autoencoder: %s is missing; write %s = sequential \"name\" { ... }",
             field, field);
    if (!read_word(L, &load->source, &part) || strcmp(part.word, "sequential") != 0)
        fail(loc, "autoencoder: %s wants sequential \"name\" { ... }", field);
    check_name(part.loc, "sequential", part.name);
    if (other && strcmp(part.name, other) == 0)
        fail(part.loc, "sequential: both parts are called \"%s\"; give one another name", other);
    push_args(load->L, &part);
    load->part_rests = false;
    load->part_rests = reads_rests(load, &part);
    Node *y = load_list(load, &part, x, 0, "");
    lua_pop(L, 2);
    if (inference_value(y)->type != TYPE_REAL || inference_value(y) == inference_value(x))
        fail(part.loc,
             "%s: has no layer that computes anything; put one in, such as conv2d { filters = 8, "
             "kernel = 3 }",
             part.name);
    *name = part.name;
    return y;
}
