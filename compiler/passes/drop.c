#include "passes.h"

void pass_drop(Graph *graph)
{
    graph_drop_unused(graph);
}
