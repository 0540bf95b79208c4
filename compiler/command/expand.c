#include "expand.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../emit/emit.h"
#include "../front/sample.h"
#include "../kernels/kernel.h"
#include "../passes/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expand(const Options *o)
{
    static const char *const directions[] = { "forward", "dX", "dW" };
    Sample sample = sample_default;
    long direction = 0;
    for (int i = 0; i < o->expand_count; i++) {
        char *end, *equals = strchr(o->expand_numbers[i], '=');
        const char *name = arena_copy(o->expand_numbers[i],
                                      (size_t)(equals - o->expand_numbers[i]));
        long value = strtol(equals + 1, &end, 10);
        for (int k = 0; k < i; k++)
            if (strncmp(o->expand_numbers[k], name, strlen(name)) == 0
                && o->expand_numbers[k][strlen(name)] == '=')
                fail_with(EXIT_USAGE, "--expand: %s is given twice; give it once", name);
        if (end == equals + 1 || *end || value < 0 || value > MAX_SIDE)
            fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 0 to %d", name, MAX_SIDE);
        /* PASS: its name in earlier versions */
        if ((strcmp(name, "DIRECTION") == 0 || strcmp(name, "PASS") == 0) && value <= 2)
            direction = value;
        else if (!sample_set(&sample, name, (int)value))
            fail_with(EXIT_USAGE, "--expand: there is no number '%s'; see --help",
                      o->expand_numbers[i]);
    }
    sample_check(&sample);
    bool conv = strncmp(o->expand, "conv_", 5) == 0, dense = strncmp(o->expand, "dense_", 6) == 0;
    const char *layer = dense ? "sample.dense" : "sample.conv";
    bool stream = kernel_find(o->expand)->rows;
    Graph *graph = sample_graph(&sample, dense    ? SAMPLE_DENSE
                                         : stream ? SAMPLE_STREAM
                                                  : SAMPLE_CONV);
    pipeline_run(graph, o->dump, o->stop);
    Settings settings = { .target = o->target,
                          .real_double = o->real && strcmp(o->real, "double") == 0,
                          .stream = stream };
    Force force = { .fusion = layer,
                    .kernel = conv || dense ? o->expand : "conv_plain",
                    .used = true };
    Plan *plan = plan_make(graph, settings, &force, 1, NULL);
    for (int i = 0; i < plan->function_count; i++) {
        const Step *step = plan->functions[i];
        if (strcmp(step->kernel->name, o->expand) != 0
            || !strstr(step->direction, directions[direction]))
            continue;
        if ((conv || dense) && strcmp(step->layer, layer) != 0)
            continue;
        Text text = { 0 };
        emit_function(&text, plan, step);
        fwrite(text.data ? text.data : "", 1, text.length, stdout);
        return;
    }
    fail_with(EXIT_USAGE, "--expand: %s does not compute %s for these numbers", o->expand,
              directions[direction]);
}
