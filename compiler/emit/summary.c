#include "summary.h"

#include "../base/arena.h"

#include <string.h>

static const char *thousands(int64_t n)
{
    if (n < 1000)
        return arena_format("%lld", (long long)n);
    return arena_format("%s,%03lld", thousands(n / 1000), (long long)(n % 1000));
}

static const char *keras_shape(Shape shape)
{
    Text text = { 0 };
    text_add(&text, "(None");
    for (int i = 0; i < shape.rank; i++)
        text_add(&text, ", %d", shape.dim[i]);
    text_add(&text, ")");
    return text.data;
}

static const char rule[] =
    "________________________________________________________________________________\n";
static const char double_rule[] =
    "================================================================================\n";

/* Whether a layer of the part that begins at row `first` names others. */
static bool names_others(const Graph *graph, int first)
{
    for (int i = first;
         i < graph->layer_count && strcmp(graph->layers[i].part, graph->layers[first].part) == 0;
         i++)
        if (*graph->layers[i].with)
            return true;
    return false;
}

/* "896", or "896, not trained". */
static const char *parameters_text(const LayerRow *row)
{
    const bool rests = row->parameters > 0 && row->non_trainable == row->parameters;
    return arena_format("%lld%s", (long long)row->parameters, rests ? ", not trained" : "");
}

static int64_t print_part(Text *out, const Graph *graph, int first, int *end, int64_t *untrained)
{
    const char *part = graph->layers[first].part;
    Shape in = first ? graph->layers[first - 1].shape : graph->input->shape;
    int64_t sum = 0, rests = 0;
    text_add(out, "Model: \"%s\"\n%s%-36s%-28s%s\n%s", part, rule, " Layer (type)", "Output Shape",
             names_others(graph, first) ? "Param #      Connected to" : "Param #", double_rule);
    text_add(out, " %-35s%-28s0\n", "input", keras_shape(in));
    int i = first;
    for (; i < graph->layer_count && strcmp(graph->layers[i].part, part) == 0; i++) {
        const LayerRow *row = &graph->layers[i];
        text_add(out, *row->with ? " %-35s%-28s%-12s %s\n" : " %-35s%-28s%s%s\n",
                 arena_format("%s (%s)", strchr(row->name, '.') + 1, row->word),
                 keras_shape(row->shape), parameters_text(row), row->with);
        sum += row->parameters;
        rests += row->non_trainable;
    }
    text_add(out, "%sTotal params: %s\nTrainable params: %s\nNon-trainable params: %s\n%s\n",
             double_rule, thousands(sum), thousands(sum - rests), thousands(rests), rule);
    *end = i;
    *untrained += rests;
    return sum;
}

static const char *range(const LayerRow *first, const LayerRow *last)
{
    return first == last ? first->name : arena_format("%s to %s", first->name, last->name);
}

const char *emit_stage_title(const Graph *graph, const Stage *stage)
{
    const LayerRow *rows = graph->layers;
    if (stage->whole)
        return "all layers";
    return arena_format("%s, %s", range(&rows[stage->encoder_first], &rows[stage->encoder_last]),
                        range(&rows[stage->decoder_first], &rows[stage->decoder_last]));
}

/* What a stage has as input and target. */
static const char *target_of(const Graph *graph, const Stage *stage)
{
    if (!stage->encoder_first)
        return "the image";
    const LayerRow *row = &graph->layers[stage->encoder_first - 1];
    return arena_format("%s, %s", row->name, shape_text(row->shape));
}

static void print_stages(Text *out, const Graph *graph)
{
    if (graph->stage_count)
        text_add(out, "Stages of training, one after another:\n");
    for (int i = 0; i < graph->stage_count; i++) {
        const Stage *stage = &graph->stages[i];
        int64_t parameters = 0;
        for (int k = 0; k < graph->layer_count; k++)
            if (stage_trains(stage, k))
                parameters += graph->layers[k].parameters - graph->layers[k].non_trainable;
        text_add(out, " %d. %s\n    %d epoch%s, %s parameters, %s of %s\n", i + 1,
                 emit_stage_title(graph, stage), stage->epochs, stage->epochs == 1 ? "" : "s",
                 thousands(parameters), stage->loss.text, target_of(graph, stage));
    }
}

void emit_summary(Text *out, const Graph *graph)
{
    int64_t sum = 0, untrained = 0;
    for (int i = 0; i < graph->layer_count;)
        sum += print_part(out, graph, i, &i, &untrained);
    text_add(out, "%s: %s -> %s -> %s, %s parameters%s\n", graph->name,
             shape_text(graph->input->shape), shape_text(graph->latent->shape),
             shape_text(graph->output->shape), thousands(sum),
             untrained ? arena_format(", %s of them not trained", thousands(untrained)) : "");
    print_stages(out, graph);
}
