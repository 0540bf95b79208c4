#include "trained.h"

#include "../../runtime/formats/parameters.h"
#include "../base/arena.h"
#include "../base/diag.h"

#include <math.h>
#include <string.h>

typedef struct Reading {
    const char *path;
    char message[800];
} Reading;

static _Noreturn void refuse(const Reading *r)
{
    fail_with(EXIT_INPUT, "%s", r->message);
}

static const float *read_one(Reading *r, const Safetensors *file, const Graph *graph,
                             const Node *node)
{
    const Shape shape = graph_shape_as_written(graph, node->shape);
    const SafetensorsEntry *entry = parameters_find(file, r->path, node->name, shape.rank,
                                                    shape.dim, r->message, sizeof r->message);
    if (!entry)
        refuse(r);
    float *values = ARENA_ARRAY(float, entry->count);
    safetensors_to_float(entry, values);
    for (size_t i = 0; i < entry->count; i++)
        if (!isfinite(values[i])) {
            parameters_refuse_value(r->path, node->name, r->message, sizeof r->message);
            refuse(r);
        }
    return values;
}

static bool is_parameter(const Graph *graph, const char *name)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if (strcmp(graph->parameters[i].node->name, name) == 0)
            return true;
    return false;
}

const Trained *trained_read(const char *path, const Graph *graph)
{
    Reading r = { .path = path };
    Safetensors file;
    int io;
    if (parameters_open(&file, path, r.message, sizeof r.message, &io) != 0)
        fail_with(io ? EXIT_FILE : EXIT_INPUT, "%s", r.message);
    Trained *trained = ARENA_NEW(Trained);
    trained->values = ARENA_ARRAY(const float *, graph->parameter_count);
    for (int i = 0; i < graph->parameter_count; i++)
        trained->values[i] = read_one(&r, &file, graph, graph->parameters[i].node);
    for (int i = 0; i < file.count; i++) {
        const char *name = file.entries[i].name;
        if (parameters_kept_besides(name) || is_parameter(graph, name))
            continue;
        parameters_refuse_other(path, name, graph->name, r.message, sizeof r.message);
        refuse(&r);
    }
    safetensors_free(&file);
    return trained;
}

const float *trained_values(const Trained *trained, const Graph *graph, const Node *parameter)
{
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].node == parameter)
            return trained->values[i];
    bug("%s is no parameter of the graph", parameter->name);
}
