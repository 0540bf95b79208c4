#include "print.h"

#include <string.h>

static const char *type_text(Type type)
{
    return type == TYPE_PIXEL ? " pixels" : type == TYPE_CODE ? " codes" : "";
}

/* Whether numbers i and i + 1 are those of height and width, and equal. */
static bool is_square(const Node *node, int i)
{
    const char *const *names = node->op->numbers;
    size_t length = strlen(names[i]);
    return names[i + 1] && length > 2 && strcmp(names[i] + length - 2, "_h") == 0
           && strncmp(names[i], names[i + 1], length - 1) == 0
           && strcmp(names[i + 1] + length - 1, "w") == 0 && node->number[i] == node->number[i + 1];
}

/* "0.5", or "[0.5, 0.25]" */
static void add_list(Text *line, const RealList *list)
{
    for (int i = 0; i < list->count; i++)
        text_add(line, "%s%.15g", i ? ", " : list->count > 1 ? "[" : "", list->numbers[i]);
    text_add(line, "%s", list->count > 1 ? "]" : "");
}

/* "kernel=3, stride_h=2, stride_w=1": those that do not go without saying, equal ones of height and
   width as one, in fingerprints too. */
static void add_numbers(Text *line, const Node *node)
{
    const Op *op = node->op;
    const char *between = " {";
    for (int i = 0; op->numbers[i]; i++) {
        if (op->implied && op->implied(node, i))
            continue;
        bool square = is_square(node, i);
        text_add(line, "%s %.*s=%.15g", between, (int)strlen(op->numbers[i]) - (square ? 2 : 0),
                 op->numbers[i], node->number[i]);
        between = ",";
        i += square;
    }
    for (int i = 0; op->lists[i]; i++, between = ",") {
        text_add(line, "%s %s=", between, op->lists[i]);
        add_list(line, &node->list[i]);
    }
    text_add(line, "%s", *between == ',' ? " }" : "");
}

static Text node_text(const Node *node)
{
    Text line = { 0 };
    text_add(&line, "%s = %s", node->name, node->op->name);
    if (node->op->arity) {
        text_add(&line, "(");
        for (int k = 0; k < node->op->arity; k++)
            text_add(&line, "%s%s", k ? ", " : "", node->input[k]->name);
        text_add(&line, ")");
    }
    add_numbers(&line, node);
    text_add(&line, " : %s%s", shape_text(node->shape), type_text(node->type));
    return line;
}

static void print_node(Text *out, const Node *node)
{
    text_add(out, "%-90s ; %s:%d\n", node_text(node).data, node->loc.file, node->loc.line);
}

static void print_fusion(Text *out, const Fusion *fusion)
{
    FusionPart parts[FUSION_PARTS];
    int count = fusion_parts(fusion, parts);
    text_add(out, "fusion %s:", fusion->name);
    for (int i = 0; i < count; i++)
        if (parts[i].node)
            text_add(out, " %s=%s", parts[i].role, parts[i].node->name);
    text_add(out, "\n");
}

static void print_stage(Text *out, const Graph *graph, int stage)
{
    if (stage && graph_loss(graph, stage))
        text_add(out, "stage %d: output %s; loss %s\n", stage,
                 graph->stages[stage - 1].output->name, graph_loss(graph, stage)->name);
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph_gradient(graph, stage, i))
            text_add(out, "gradient of %s: %s\n", graph->parameters[i].node->name,
                     graph_gradient(graph, stage, i)->name);
}

void print_graph(Text *out, const Graph *graph)
{
    for (int i = 0; i < graph->count; i++)
        print_node(out, graph->nodes[i]);
    text_add(out, "latent %s; output %s", graph->latent->name, graph->output->name);
    if (graph->loss)
        text_add(out, "; loss %s", graph->loss->name);
    text_add(out, "\n");
    for (int p = 0; p <= graph_partial_stages(graph); p++)
        print_stage(out, graph, p);
    for (int i = 0; i < graph->fusion_count; i++)
        print_fusion(out, graph->fusions[i]);
}

const char *print_fingerprint(const Graph *graph)
{
    Text text = { 0 };
    for (int i = 0; i < graph->count; i++)
        text_add(&text, "%s\n", node_text(graph->nodes[i]).data);
    text_add(&text, "latent %s; output %s; loss %s\n", graph->latent->name, graph->output->name,
             graph->loss->name);
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].l1 > 0 || graph->parameters[i].l2 > 0)
            text_add(&text, "penalty %d %.15g %.15g\n", i, graph->parameters[i].l1,
                     graph->parameters[i].l2);
    if (graph->grouped)
        text_add(&text, "groups of %d\n", graph->over);
    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].statistic)
            text_add(&text, "momentum %d %.15g\n", i, graph->parameters[i].momentum);
        else if (graph->parameters[i].warmup > 0)
            text_add(&text, "warmup %d %.15g\n", i, graph->parameters[i].warmup);
        else if (graph->parameters[i].non_trainable)
            text_add(&text, "rests %d\n", i);
    for (int i = 0; i < graph->stage_count; i++) {
        const Stage *p = &graph->stages[i];
        text_add(&text, "stage %d-%d %d-%d %s\n", p->encoder_first, p->encoder_last,
                 p->decoder_first, p->decoder_last, p->loss.text);
    }
    return text_fingerprint(&text);
}
