#include "load.h"

#include "../../runtime/formats/printable.h"
#include "../base/arena.h"
#include "../base/lua.h"
#include "../base/embedded.h"
#include "../ir/check.h"
#include "../ops/ops.h"
#include "arguments.h"
#include "suggest.h"
#include "names.h"
#include "references.h"
#include "source.h"
#include "stages.h"
#include "training.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20, MAX_LAYERS = 512, MAX_NESTING = 8 };
/* entries of lists of layers, each counted as often as it is met: lists may stand in lists that
   stand in lists ... */
enum { MAX_ITEMS = 10000 };
static const size_t max_lua_bytes = 64u << 20;
static const long max_lua_steps = 20L * 1000 * 1000;
/* in Lua's registry: which word a function stands for */
static const char words_key[] = "caec.words";

typedef struct Loader {
    lua_State *L;
    Source source;
    Graph *graph;
    LayerNames names;
    int collected, loaded; /* entries met, up to MAX_ITEMS */
} Loader;

/* ---- layers ---- */

static LayerRow *add_layer_row(Graph *graph)
{
    graph->layers = arena_more(graph->layers, graph->layer_count, sizeof *graph->layers);
    return &graph->layers[graph->layer_count++];
}

/* Appends to load->names that of the layer whose table is at the top of the stack: as it says
   itself, or by its kind and its place among those of its kind in the part, of which `kinds` keeps
   the short names. Whether the name is legal is for layer_name to say. */
static void collect_name(Loader *load, const char *part, const LayerSpec *spec, const char **kinds)
{
    lua_State *L = load->L;
    LayerNames *names = &load->names;
    int same_kind = 0;
    for (int i = names->count - 1; i >= 0 && strncmp(names->name[i], part, strlen(part)) == 0
                                   && names->name[i][strlen(part)] == '.';
         i--)
        same_kind += strcmp(kinds[i], spec->short_name) == 0;
    const char *name = NULL;
    lua_getfield(L, -1, "args");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "name");
        name = read_name(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    kinds[names->count] = spec->short_name;
    names->name[names->count++] = name ? arena_format("%s.%s", part, name)
                                       : arena_format("%s.%s%d", part, spec->short_name,
                                                      same_kind + 1);
}

/* The names of a list's layers; mistakes in it are for load_list to find. */
static void collect_list(Loader *load, const char *part, const char **kinds, int depth)
{
    lua_State *L = load->L;
    size_t count = lua_length(L, -1);
    for (size_t i = 1; i <= count && depth <= MAX_NESTING && load->names.count < MAX_LAYERS
                       && load->collected < MAX_ITEMS;
         i++) {
        Word word;
        load->collected++;
        luaL_checkstack(L, 8, "nested lists");
        lua_rawgeti(L, -1, (int)i);
        bool is_word = read_word(L, &load->source, &word);
        if (is_word && layer_find(word.word))
            collect_name(load, part, layer_find(word.word), kinds);
        else if (!is_word && lua_istable(L, -1))
            collect_list(load, part, kinds, depth + 1);
        lua_pop(L, 1);
    }
}

/* Of both parts; the autoencoder's arguments are at the top of the stack. */
static void collect_names(Loader *load)
{
    static const char *const fields[] = { "encoder", "decoder" };
    lua_State *L = load->L;
    const char **kinds = ARENA_ARRAY(const char *, MAX_LAYERS);
    load->names.name = ARENA_ARRAY(const char *, MAX_LAYERS);
    for (int i = 0; i < 2; i++) {
        Word part;
        lua_getfield(L, -1, fields[i]);
        if (read_word(L, &load->source, &part) && part.name) {
            lua_getfield(L, -1, "args");
            if (lua_istable(L, -1))
                collect_list(load, part.name, kinds, 0);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
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
            fail(loc, "%s: there is a layer called %s already", word->word, full);
        if (names_clash(graph->layers[i].name, full))
            fail(loc, "%s: %s and %s would have the same name in C; choose another", word->word,
                 full, graph->layers[i].name);
    }
    return full;
}

/* One layer, whose table is at the top of the stack; returns its output. */
static Node *load_layer(Loader *load, const char *part, const Word *word, Node *x)
{
    const LayerSpec *spec = layer_find(word->word);
    Graph *graph = load->graph;
    if (!spec)
        fail(word->loc, "%s: not a layer; layers are words such as conv2d and max_pool2d",
             word->word);
    if (!spec->build)
        fail(word->loc, "%s: %s", word->word, spec->about);
    if (graph->layer_count >= MAX_LAYERS)
        fail(word->loc, "%s: more than %d layers", word->word, MAX_LAYERS);
    push_args(load->L, word);
    ArgumentPlaces places = { &load->source, word->word, word->loc, word->at, "" };
    Arg args[MAX_ARGS];
    read_arguments(load->L, &places, spec->args, "name", args);
    int parameters = graph->parameter_count;
    const char *name = layer_name(load, word);
    lua_pop(load->L, 1);
    const char *with = references_find(graph, &load->names, spec->word, spec->args, args);
    Layer layer = { .graph = graph,
                    .part = part,
                    .model = {
                        .layer = name, .name = name, .word = spec->word, .loc = word->loc } };
    x = spec->build(&layer, args, x);
    if (graph->layer_count && !layer.leaves)
        graph->layers[graph->layer_count - 1].read = true;
    int64_t count = 0;
    for (int i = parameters; i < graph->parameter_count; i++)
        count += shape_count(graph->parameters[i].node->shape);
    *add_layer_row(graph) = (LayerRow){ .part = part,
                                        .name = name,
                                        .word = spec->word,
                                        .detail = layer.detail ? layer.detail : "",
                                        .with = with,
                                        .shape = x->shape,
                                        .parameters = count,
                                        .loc = word->loc,
                                        .output = x };
    return x;
}

/* The word of the graph language that the function at the top of the stack stands for; NULL:
   none. */
static const char *word_of_function(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, words_key);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    const char *word = NULL;
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "word");
        word = read_name(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return word;
}

/* Something that is no layer stands in a list, at the top of the stack; `path` leads to it, "3", or
   "2.1" in a list inside the part's. */
_Noreturn static void refuse_item(Loader *load, const Word *part, const char *path)
{
    const char *kind = lua_typename(load->L, lua_type(load->L, -1)), *last = strrchr(path, '.');
    const char *word = lua_isfunction(load->L, -1) ? word_of_function(load->L) : NULL;
    const LayerSpec *spec = word ? layer_find(word) : NULL;
    if (!spec)
        fail(part->loc, "%s: layer %s is a %s; a layer is written conv2d { ... }", part->name,
             last ? last + 1 : path, kind);
    Loc loc = part->at >= 0 ? source_item(&load->source, part->at, path, word) : part->loc;
    fail(loc, "layer %s of \"%s\" is a function: write %s %s", path, part->name, word,
         spec->args[0].required ? "{ ... }" : "{}");
}

/* A list of layers (lists inside it count as if their layers stood there), at the top of the stack.
   `path`: "", or "2." in the list that is item 2. */
static Node *load_list(Loader *load, const Word *part, Node *x, int depth, const char *path)
{
    lua_State *L = load->L;
    if (depth > MAX_NESTING)
        fail(part->loc, "%s: lists inside lists more than %d deep", part->word, MAX_NESTING);
    size_t count = lua_length(L, -1);
    for (size_t i = 1; i <= count; i++) {
        if (load->loaded++ >= MAX_ITEMS)
            fail(part->loc, "%s: more than %d entries in lists inside lists", part->name,
                 MAX_ITEMS);
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
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) != LUA_TNUMBER)
            fail(part->loc, "%s: wants a list of layers, but something in it is called '%s'",
                 part->name, lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?");
        double at = lua_tonumber(L, -2);
        if (at < 1 || at > (double)count || at != floor(at))
            fail(part->loc, "%s: the list of layers has a hole (a layer that is nil)", part->name);
        lua_pop(L, 1);
    }
    return x;
}

/* What inference has in a value's place, after layers of training alone and after views. */
static const Node *inference_value(const Node *node)
{
    while (node->op->training_only || node->op->view)
        node = node->input[0];
    return node;
}

/* encoder or decoder, a field of the autoencoder's arguments at the top of the stack. */
static Node *load_part(Loader *load, const Word *model, const char *field, const char *other,
                       Node *x, const char **name)
{
    lua_State *L = load->L;
    Word part;
    lua_getfield(L, -1, field);
    Loc loc = argument_loc(&load->source, model, field);
    if (lua_isnil(L, -1))
        fail(model->loc, "autoencoder: %s is missing", field);
    if (!read_word(L, &load->source, &part) || strcmp(part.word, "sequential") != 0)
        fail(loc, "autoencoder: %s wants sequential \"name\" { ... }", field);
    check_name(part.loc, "sequential", part.name);
    if (other && strcmp(part.name, other) == 0)
        fail(part.loc, "sequential: both parts are called \"%s\"", other);
    push_args(load->L, &part);
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

/* ---- the model ---- */

static void load_input(Loader *load, const Word *model)
{
    lua_State *L = load->L;
    Loc loc = argument_loc(&load->source, model, "input");
    lua_getfield(L, -1, "input");
    Shape shape;
    bool list;
    if (!read_shape(L, &shape, &list))
        fail(
            loc,
            list
                ? "autoencoder: input wants { height, width, channels }, whole numbers from 1 to %d"
                : "autoencoder: input wants { height, width, channels }",
            MAX_SIDE);
    lua_pop(L, 1);
    load->graph->input = image_node(
        load->graph, "input",
        (Node){ .layer = "input", .word = "autoencoder", .loc = loc, .shape = shape });
}

static void build_loss(Loader *load)
{
    Graph *graph = load->graph;
    const LossSpec *spec = loss_find(graph->training.loss);
    Layer layer = { .graph = graph,
                    .model = {
                        .layer = "loss", .word = spec->word, .loc = graph->training.loss_loc } };
    graph->loss = spec->build(&layer, graph->output, graph->input);
}

/* The autoencoder's table is at the top of the stack. */
static void load_model(Loader *load)
{
    Graph *graph = load->graph;
    Word model;
    if (!read_word(load->L, &load->source, &model) || strcmp(model.word, "autoencoder") != 0)
        fail(source_end(&load->source),
             "the file must end with: return autoencoder \"name\" { input = ..., encoder = ..., "
             "decoder = ... }");
    check_name(model.loc, "autoencoder", model.name);
    graph->name = model.name;
    graph->loc = model.loc;
    push_args(load->L, &model);
    const ArgSpec none[] = { { .name = NULL } };
    ArgumentPlaces places = { &load->source, "autoencoder", model.loc, model.at, "" };
    read_arguments(load->L, &places, none, "input encoder decoder training stages", NULL);
    load_input(load, &model);
    collect_names(load);
    const char *encoder, *decoder;
    graph->latent = load_part(load, &model, "encoder", NULL, graph->input, &encoder);
    graph->output = load_part(load, &model, "decoder", encoder, graph->latent, &decoder);
    if (!shape_equal(graph->output->shape, graph->input->shape))
        fail(graph->layers[graph->layer_count - 1].loc,
             "%s: the decoder ends in %s but the input is %s; an autoencoder's output has its "
             "input's shape%s",
             graph->layers[graph->layer_count - 1].word, shape_text(graph->output->shape),
             shape_text(graph->input->shape), sizes_hint(graph, graph->output, graph->input));
    references_check_read(graph);
    if (!graph->parameter_count)
        fail(graph->loc,
             "autoencoder: no layer has anything to learn; put in one that has weights, such as "
             "conv2d { filters = 8, kernel = 3 }");
    check_model_name(graph);
    load_training(load->L, &load->source, &model, &graph->training);
    build_loss(load);
    load_stages(load->L, &load->source, &model, graph);
}

/* ---- running the file ---- */

static bool is_marked(const char *name, size_t length)
{
    const char *word = arena_copy(name, length);
    return layer_find(word) || optimizer_find(word) || schedule_find(word)
           || strcmp(word, "sequential") == 0 || strcmp(word, "autoencoder") == 0;
}

static int count_in_line(const Source *source, int line, const char *name)
{
    int count = 0;
    size_t length = strlen(name);
    for (int i = 0; i < source->count; i++)
        count += source->tokens[i].line == line && (size_t)source->tokens[i].length == length
                 && memcmp(source->tokens[i].start, name, length) == 0;
    return count;
}

/* What Lua calls the file in its messages; it would cut a long path. */
static const char chunk_name[] = "graph";
static const char dsl_name[] = "dsl.lua";

/* While the stack still stands: what went wrong inside one of the words is an error at the line
   that called it, and so is an error without a text. */
static int place_message(lua_State *L)
{
    if (lua_istable(L, 1)) /* dsl.lua's: it names its place */
        return 1;
    const char *message = lua_type(L, 1) == LUA_TSTRING
                              ? lua_tostring(L, 1)
                              : "the file stopped with an error that is no text";
    size_t n = strlen(dsl_name);
    if (strncmp(message, dsl_name, n) == 0 && message[n] == ':')
        message += n + 1 + strspn(message + n + 1, "0123456789: ");
    else if (lua_type(L, 1) == LUA_TSTRING)
        return 1;
    lua_pushfstring(L, "%s:%d: %s", chunk_name, lua_untrusted_line(L), message);
    return 1;
}

/* Names that the marked text or one of the Luas needs, and that are no words of the language. */
static void refuse_hidden_names(const Source *source)
{
    static const char *const hidden[] = { "__at", "_ENV" };
    for (int i = 0; i < source->count; i++)
        for (int k = 0; k < 2; k++)
            if (source->tokens[i].kind == 'n'
                && (size_t)source->tokens[i].length == strlen(hidden[k])
                && memcmp(source->tokens[i].start, hidden[k], strlen(hidden[k])) == 0)
                fail(source_token(source, i), "unknown word '%s'", hidden[k]);
}

/* Lua's message "graph:12: text near 'x'" or dsl.lua's table { message, name, line } becomes an
   error at its place. */
_Noreturn static void report(Loader *load)
{
    lua_State *L = load->L;
    const char *file = load->source.file;
    size_t n = strlen(chunk_name);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "line");
        lua_getfield(L, -2, "name");
        lua_getfield(L, -3, "message");
        int line = (int)lua_tointeger(L, -3);
        const char *name = lua_tostring(L, -2);
        Loc loc = name   ? source_name_in_line(&load->source, line, name)
                  : line ? (Loc){ file, line, 0 }
                         : source_end(&load->source);
        fail(loc, "%s%s", lua_tostring(L, -1), name ? suggest_word(&load->source, loc, name) : "");
    }
    const char *message = arena_copy(lua_tostring(L, -1), strlen(lua_tostring(L, -1)));
    /* Lua does not say where its memory or its stack ended */
    int line = lua_untrusted_line(L);
    if (strncmp(message, chunk_name, n) == 0 && message[n] == ':'
        && isdigit((unsigned char)message[n + 1])) {
        char *end;
        line = (int)strtol(message + n + 1, &end, 10);
        message = *end == ':' ? end + 1 + (end[1] == ' ') : end;
    }
    const char *near = strstr(message, "near '");
    Loc loc = { file, line, 0 };
    if (near && strchr(near + 6, '\'')) {
        /* Lua does not say which, where the line has several */
        const char *name = arena_copy(near + 6, strcspn(near + 6, "'"));
        if (count_in_line(&load->source, line, name) == 1)
            loc = source_name_in_line(&load->source, line, name);
    }
    if (strstr(message, "not enough memory"))
        message = "the graph file needs too much memory";
    if (strstr(message, "stack overflow"))
        message = "stack overflow: functions call each other without end";
    fail(loc, "%s", message);
}

static void push_layer_words(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; layer_specs[i]; i++) {
        lua_pushstring(L, layer_specs[i]->word);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_choice_words(lua_State *L, const ChoiceSpec *const *specs)
{
    lua_newtable(L);
    for (int i = 0; specs[i]; i++) {
        lua_pushstring(L, specs[i]->word);
        lua_rawseti(L, -2, i + 1);
    }
}

/* All that touches Lua runs inside one protected call, so that running out of memory is an error
   like any other. */
static int run(lua_State *L)
{
    Loader *load = lua_touserdata(L, 1);
    const Source *source = &load->source;
    /* mistakes of syntax, in the file's own words */
    if (lua_load_text(L, source->text, source->length, arena_format("@%s", chunk_name)) != 0)
        lua_error(L);
    lua_pop(L, 1);
    refuse_hidden_names(source);
    Text marked = source_mark(source, is_marked);
    const EmbeddedFile *dsl = embedded_find("front/dsl.lua");
    if (lua_load_text(L, dsl->text, dsl->length, arena_format("=%s", dsl_name)) != 0)
        lua_error(L);
    lua_pushlstring(L, marked.data, marked.length);
    lua_pushstring(L, chunk_name);
    push_layer_words(L);
    push_choice_words(L, optimizer_specs);
    push_choice_words(L, schedule_specs);
    lua_call(L, 5, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, words_key);
    load_model(load);
    return 0;
}

Graph *load_graph(const char *path)
{
    Text text = text_read(path, FILE_LIMIT);
    /* from here on the name is only shown */
    char *shown = (char *)arena_copy(path, strlen(path));
    printable_line(shown);
    diag_source(shown, text.data, text.length);
    /* what luac, string.dump and LuaJIT write begins so */
    if (text.length > 0 && text.data[0] == LUA_SIGNATURE[0])
        fail((Loc){ shown, 0, 0 },
             "this is compiled Lua; caec wants the text that it was compiled from");
    Loader load = { .source = source_read(shown, text), .graph = ARENA_NEW(Graph) };
    load.graph->file = shown;
    load.L = lua_new_limited(shown, max_lua_bytes, max_lua_steps);
    lua_pushcfunction(load.L, place_message);
    lua_pushcfunction(load.L, run);
    lua_pushlightuserdata(load.L, &load);
    if (lua_pcall(load.L, 1, 0, -3) != 0)
        report(&load);
    lua_close_limited(load.L);
    return load.graph;
}
