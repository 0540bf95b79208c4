#include "pipeline.h"

#include "../base/text.h"
#include "../ir/check.h"
#include "../ir/print.h"
#include "passes.h"

#include <stdio.h>
#include <string.h>

/* The pipeline, the --dump and --stop-after names, and the --list text at once. `load` comes before
   and `plan` after. */
static const struct {
    const char *name;
    void (*run)(Graph *graph);
    const char *about;
} passes[] = {
    { "turn", pass_turn, "where signals of one row are to stream, exchange height and width" },
    { "split_inference", pass_split_inference,
      "give inference a path without the layers that are active in training alone" },
    { "stages", pass_stages, "give each stage of training a copy of its layers and a loss" },
    { "fold", pass_fold, "take nearest upsampling into the convolution or loss that reads it" },
    { "differentiate", pass_differentiate,
      "append the gradient of the loss with respect to every parameter" },
    { "commute", pass_commute,
      "exchange the gradients of an activation and the max-pool after it" },
    { "merge", pass_merge,
      "in inference, take batch_norm into the kernel and bias of the layer before it" },
    { "drop", pass_drop, "drop nodes that nothing needs" },
    { "fuse", pass_fuse,
      "find the fusions: a core operator, its epilogue, and the backward half of both" },
};
enum { PASS_COUNT = sizeof passes / sizeof passes[0] };

int pipeline_place(const char *pass)
{
    if (strcmp(pass, "load") == 0)
        return 0;
    for (int i = 0; i < PASS_COUNT; i++)
        if (strcmp(passes[i].name, pass) == 0)
            return i + 1;
    return strcmp(pass, "plan") == 0 ? PASS_COUNT + 1 : -1;
}

static void print_after(const char *pass, const char *dump, const Graph *graph)
{
    if (!dump || strcmp(dump, pass) != 0)
        return;
    Text text = { 0 };
    print_graph(&text, graph);
    text_write(&text, stdout);
}

bool pipeline_run(Graph *graph, const char *dump, const char *stop)
{
    check_graph(graph, "load");
    print_after("load", dump, graph);
    if (stop && strcmp(stop, "load") == 0)
        return false;
    for (int i = 0; i < PASS_COUNT; i++) {
        passes[i].run(graph);
        check_graph(graph, passes[i].name);
        print_after(passes[i].name, dump, graph);
        if (stop && strcmp(stop, passes[i].name) == 0)
            return false;
    }
    return true;
}

void pipeline_list(void)
{
    printf("%-14s run the graph file and build its nodes\n", "load");
    for (int i = 0; i < PASS_COUNT; i++)
        printf("%-14s %s\n", passes[i].name, passes[i].about);
    printf("%-14s choose kernels, order and memory\n", "plan");
}
