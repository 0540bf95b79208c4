#include "print.h"

#include <string.h>

static const char *type_text(Type type)
{
    return type == TYPE_PIXEL ? " pixels" : type == TYPE_CODE ? " codes" : "";
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
    if (node->op->numbers[0]) {
        text_add(&line, " {");
        for (int i = 0; node->op->numbers[i]; i++)
            text_add(&line, "%s %s=%.15g", i ? "," : "", node->op->numbers[i], node->number[i]);
        text_add(&line, " }");
    }
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
    for (int i = 0; i < graph->stage_count; i++) {
        const Stage *p = &graph->stages[i];
        text_add(&text, "stage %d-%d %d-%d %s\n", p->encoder_first, p->encoder_last,
                 p->decoder_first, p->decoder_last, p->loss);
    }
    return text_fingerprint(&text);
}

void print_dot(Text *out, const Graph *graph)
{
    text_add(out,
             "digraph \"%s\" {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\", "
             "fontsize=10];\n",
             graph->name);
    for (int i = 0; i < graph->count; i++) {
        const Node *node = graph->nodes[i];
        const char *style = node->op->holds_weights ? ", style=filled, fillcolor=\"#e8e8e8\""
                            : node->op->arity == 0  ? ", style=filled, fillcolor=\"#d0e4ff\""
                                                    : "";
        text_add(out, "  n%d [label=\"%s\\n%s  %s\"%s];\n", i, node->name, node->op->name,
                 shape_text(node->shape), style);
        for (int k = 0; k < node->op->arity; k++)
            text_add(out, "  n%d -> n%d;\n", node->input[k]->id, i);
    }
    text_add(out, "}\n");
}
