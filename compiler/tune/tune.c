#define _POSIX_C_SOURCE 200809L
#include "tune.h"

#include "../base/arena.h"
#include "../base/files.h"
#include "../base/embedded.h"
#include "../base/signals.h"
#include "../base/table.h"
#include "../budget/make.h"
#include "../emit/model.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- measuring ---- */

static bool is_convolution(const Kernel *kernel)
{
    return strncmp(kernel->name, "conv_", 5) == 0 && strcmp(kernel->name, "conv_plain") != 0;
}

/* The kernel for every fusion that it fits; where it does not, the plan chooses as ever. */
static Plan *plan_with(const Graph *graph, Settings settings, const Kernel *kernel)
{
    Force *forces = ARENA_ARRAY(Force, graph->fusion_count + 1);
    for (int i = 0; i < graph->fusion_count; i++)
        forces[i] = (Force){ .fusion = graph->fusions[i]->name,
                             .kernel = kernel->name,
                             .used = true };
    return plan_make(graph, settings, forces, graph->fusion_count, NULL);
}

static int steps_by(const Plan *plan, const Kernel *kernel)
{
    int count = 0;
    for (int i = 0; i < plan->train.count; i++)
        count += plan->train.steps[i]->kernel == kernel;
    return count;
}

static void save_embedded(const char *path, const char *name)
{
    const EmbeddedFile *file = embedded_find(name);
    Text text = { 0 };
    text_append(&text, file->text, file->length);
    files_save(path, &text);
}

/* The time of each training step, a line each, as the program leaves them; of steps that share a
   function the least. */
static void read_times(const char *path, const Plan *plan, double *microseconds)
{
    FILE *f = fopen(path, "r");
    for (int i = 0; i < plan->train.count; i++)
        if (!f || fscanf(f, "%*s %*s %*s %lf", &microseconds[i]) != 1)
            fail_with(EXIT_FILE, "--tune: the measuring program left no times");
    fclose(f);
    Table least = { 0 };
    for (int i = 0; i < plan->train.count; i++) {
        const char *function = plan->train.steps[i]->function;
        const int first = table_find(&least, function);
        if (first < 0)
            table_add(&least, function, i);
        else if (microseconds[i] < microseconds[first])
            microseconds[first] = microseconds[i];
    }
    for (int i = 0; i < plan->train.count; i++)
        microseconds[i] = microseconds[table_find(&least, plan->train.steps[i]->function)];
}

static void add_rows(Tuning *tuning, const Plan *plan, const Kernel *kernel,
                     const double *microseconds)
{
    for (int i = 0; i < plan->train.count; i++) {
        const Step *step = plan->train.steps[i];
        if (step->kernel != kernel)
            continue;
        tuning->rows = arena_more(tuning->rows, tuning->count, sizeof *tuning->rows);
        tuning->rows[tuning->count++] = (TuningRow){ step->fusion->name, step->direction,
                                                     kernel->name, microseconds[i] };
    }
}

static void measure(Tuning *tuning, const Plan *plan, const Kernel *kernel, const char *folder,
                    const char *version)
{
    const Settings *settings = &plan->settings;
    const char *cc = getenv("CC") ? getenv("CC") : "cc",
               *place = arena_format("%s/%s", folder, plan->graph->name);
    emit_model(plan,
               &(EmitOptions){
                   .directory = folder, .version = version, .fingerprint = "", .options = "" });
    save_embedded(arena_format("%s/model.h", place), "runtime/model.h");
    save_embedded(arena_format("%s/measure.c", place), "tune/measure.c.in");
    const char *command = arena_format(
        "cd '%s' && %s -std=c11 -O3 %s %s %s -Wno-ignored-optimization-argument -DCAEC_REAL=%s "
        "-I. *.c -o measure %s -lm",
        place, cc, settings->target->flags, kernel_flags, gcc_flags,
        settings->real_double ? "double" : "float", plan_uses_openblas(plan) ? "-lopenblas" : "");
    if (!scratch_run(command))
        fail_with(EXIT_FILE, "--tune: the C compiler %s failed (set CC to name another)", cc);
    if (!scratch_run(arena_format("'%s/measure' >'%s/times'", place, place)))
        fail_with(EXIT_FILE, "--tune: the measuring program did not run to its end");
    double *microseconds = ARENA_ARRAY(double, plan->train.count + 1);
    read_times(arena_format("%s/times", place), plan, microseconds);
    add_rows(tuning, plan, kernel, microseconds);
    if (!scratch_run(arena_format("rm -rf '%s'", place)))
        fail_with(EXIT_FILE, "--tune: cannot remove %s", place);
}

/* ---- all kernels ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A line for each kernel, on a terminal and elsewhere: what is done, and from the second on how
   long the rest may take. */
static void say(const Plan *plan, const Kernel *kernel, int done, int count, double seconds)
{
    const char *left = done ? arena_format(", about %.0f s left", seconds / done * (count - done))
                            : "";
    fprintf(stderr, "caec: measuring %s, kernel %d of %d: %d functions to compile for %d calls%s\n",
            kernel->name, done + 1, count, plan->function_count, steps_by(plan, kernel), left);
}

Tuning *tune_measure(const Graph *graph, Settings settings, const char *version)
{
    const Plan *plans[64];
    const Kernel *kernels[64];
    int count = 0;
    settings.shared = true;
    for (int i = 0; all_kernels[i]; i++) {
        if (!is_convolution(all_kernels[i]))
            continue;
        plans[count] = plan_with(graph, settings, all_kernels[i]);
        kernels[count] = all_kernels[i];
        count += steps_by(plans[count], all_kernels[i]) > 0;
    }
    Tuning *tuning = ARENA_NEW(Tuning);
    tuning->target = settings.target->name;
    tuning->real = settings.real_double ? "double" : "float";
    const char *folder = scratch_folder();
    const double begin = now();
    for (int i = 0; i < count; i++) {
        say(plans[i], kernels[i], i, count, now() - begin);
        measure(tuning, plans[i], kernels[i], folder, version);
    }
    signals_remove_temporary();
    return tuning;
}
