#include "dot.h"

void dot_print(Text *out, const Graph *graph)
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
