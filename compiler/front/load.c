#include "load.h"

#include "../../runtime/formats/printable.h"
#include "../base/arena.h"
#include "../base/excerpt.h"
#include "../base/files.h"
#include "../ops/ops.h"
#include "arguments.h"
#include "layer_names.h"
#include "layers.h"
#include "loader.h"
#include "names.h"
#include "script.h"
#include "stages.h"
#include "training.h"
#include "words.h"

#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

/* Fails where no parameter is trained: there are none, or all layers that have some rest. */
static void check_trained(const Graph *graph)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_trains(graph, 0, i))
            return;
    if (graph->parameter_count)
        fail(graph->loc, "autoencoder: no layer is trained, as all that have parameters have "
                         "trainable = false; take it from at least one of them, or from a part");
    fail(graph->loc,
         "autoencoder: no layer has anything to learn; put in one that has weights, such as "
         "conv2d { filters = 8, kernel = 3 }");
}

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
    const LossSum *loss = &graph->training.loss;
    graph->loss = loss_build(graph, (Node){ .layer = "loss", .loc = loss->loc }, loss,
                             graph->output, graph->input, graph->terms, graph->term_count);
}

/* The autoencoder's layers, whose arguments are at the top of the stack. */
static void load_parts(Loader *load, const Word *model)
{
    Graph *graph = load->graph;
    const char *encoder, *decoder;
    layer_names_collect(load);
    graph->latent = layers_load_part(load, model, "encoder", NULL, graph->input, &encoder);
    graph->output = layers_load_part(load, model, "decoder", encoder, graph->latent, &decoder);
    const LayerRow *last = &graph->layers[graph->layer_count - 1];
    if (!shape_equal(graph->output->shape, graph->input->shape))
        fail(last->loc,
             "%s: the decoder ends in %s but the input is %s; an autoencoder's output has its "
             "input's shape%s",
             last->word, shape_text(graph->output->shape), shape_text(graph->input->shape),
             sizes_hint(graph, graph->output, graph->input));
    references_check_read(graph);
    check_trained(graph);
}

/* The autoencoder's table is at the top of the stack. */
static void load_model(lua_State *L, void *context)
{
    Loader *load = context;
    Graph *graph = load->graph;
    load->L = L;
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
    load_parts(load, &model);
    check_model_name(graph);
    load_training(load->L, &load->source, &model, &graph->training);
    build_loss(load);
    load_stages(load->L, &load->source, &model, graph);
}

Graph *load_graph(const char *path)
{
    Text text = files_read(path, FILE_LIMIT);
    /* from here on the name is only shown */
    char *shown = (char *)arena_copy(path, strlen(path));
    printable_line(shown);
    excerpt_source(shown, text.data, text.length);
    /* what luac, string.dump and LuaJIT write begins so */
    if (text.length > 0 && text.data[0] == LUA_SIGNATURE[0])
        fail((Loc){ shown, 0, 0 },
             "this is compiled Lua; caec wants the text that it was compiled from");
    Loader load = { .source = source_read(shown, text), .graph = ARENA_NEW(Graph) };
    load.graph->file = shown;
    script_run(&load.source, load_model, &load);
    return load.graph;
}
