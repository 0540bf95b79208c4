#include "expand.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../budget/make.h"
#include "../emit/model.h"
#include "../front/sample.h"
#include "../kernels/kernel.h"
#include "../passes/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const directions[] = { "forward", "dX", "dW" };

/* "CI=3": its value; its name, in the arena. */
static long read_number(const Options *o, int place, const char **name)
{
    char *end, *const text = (char *)o->expand_numbers[place], *equals = strchr(text, '=');
    *name = arena_copy(text, (size_t)(equals - text));
    long value = strtol(equals + 1, &end, 10);
    for (int k = 0; k < place; k++)
        if (strncmp(o->expand_numbers[k], *name, strlen(*name)) == 0
            && o->expand_numbers[k][strlen(*name)] == '=')
            fail_with(EXIT_USAGE, "--expand: %s is given twice; give it once", *name);
    if (end == equals + 1 || *end || value < 0 || value > MAX_SIDE)
        fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 0 to %d", *name, MAX_SIDE);
    return value;
}

/* The numbers of the sample layer; returns the direction's. */
static long read_sample(const Options *o, Sample *sample)
{
    long direction = 0;
    *sample = sample_default;
    for (int i = 0; i < o->expand_count; i++) {
        const char *name;
        long value = read_number(o, i, &name);
        /* PASS: its name in earlier versions */
        if ((strcmp(name, "DIRECTION") == 0 || strcmp(name, "PASS") == 0) && value <= 2)
            direction = value;
        else if (!sample_set(sample, name, (int)value))
            fail_with(EXIT_USAGE, "--expand: there is no number '%s'; see --help",
                      o->expand_numbers[i]);
    }
    sample_check(sample);
    return direction;
}

/* The function of the plan that the kernel is, in that direction; of `layer` alone, where it is not
   NULL. NULL: none. */
static const Step *find_function(const Plan *plan, const char *kernel, const char *direction,
                                 const char *layer)
{
    for (int i = 0; i < plan->function_count; i++) {
        const Step *step = plan->functions[i];
        if (strcmp(step->kernel->name, kernel) == 0 && strstr(step->direction, direction)
            && (!layer || strcmp(step->layer, layer) == 0))
            return step;
    }
    return NULL;
}

void expand_kernel(const Options *o)
{
    Sample sample;
    const char *direction = directions[read_sample(o, &sample)];
    bool conv = strncmp(o->expand, "conv_", 5) == 0, dense = strncmp(o->expand, "dense_", 6) == 0;
    bool stream = kernel_find(o->expand)->rows;
    const char *layer = dense ? "sample.dense" : "sample.conv";
    Graph *graph = sample_graph(&sample, dense    ? SAMPLE_DENSE
                                         : stream ? SAMPLE_STREAM
                                                  : SAMPLE_CONV);
    if (!pipeline_run(graph, o->dump, o->stop))
        return;
    Settings settings = { .target = o->target,
                          .real_double = o->real && strcmp(o->real, "double") == 0,
                          .stream = stream };
    Force forces[] = {
        { .fusion = layer, .kernel = conv || dense ? o->expand : "conv_plain", .used = true },
        { .fusion = "sample.dwconv1", .kernel = o->expand, .used = true }
    };
    Plan *plan = plan_make(graph, settings, forces, dense ? 1 : 2, NULL);
    const Step *step = find_function(plan, o->expand, direction, conv || dense ? layer : NULL);
    if (!step)
        fail_with(EXIT_USAGE, "--expand: %s does not compute %s for these numbers", o->expand,
                  direction);
    Text text = { 0 };
    emit_function(&text, plan, step);
    text_write(&text, stdout);
}
