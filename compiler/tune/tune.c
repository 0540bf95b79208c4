#define _POSIX_C_SOURCE 200809L
#include "tune.h"

#include "../base/arena.h"
#include "../base/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 4096 };

static bool is_convolution(const Kernel *kernel)
{
    return strncmp(kernel->name, "conv_", 5) == 0 && strcmp(kernel->name, "conv_plain") != 0;
}

/* The kernel for every stage that it fits; where it does not, the plan chooses as ever. */
static Plan *plan_with(const Graph *graph, Settings settings, const Kernel *kernel)
{
    Force *forces = ARENA_ARRAY(Force, graph->stage_count + 1);
    for (int i = 0; i < graph->stage_count; i++)
        forces[i] = (Force){ .stage = graph->stages[i]->name, .kernel = kernel->name, .used = true };
    return plan_make(graph, settings, forces, graph->stage_count, NULL);
}

static SavedText embedded_text(const char *path, const char *name)
{
    const EmbeddedFile *file = embedded_find(name);
    SavedText saved = { .path = path };
    text_append(&saved.text, file->text, file->length);
    return saved;
}

/* Adds a row for each line that the program prints: layer pass kernel microseconds. */
static void run(Tuning *tuning, const char *program, const Kernel *kernel)
{
    FILE *f = popen(program, "r");
    char stage[121], pass[121], name[121];
    double microseconds;
    while (f && fscanf(f, "%120s %120s %120s %lf", stage, pass, name, &microseconds) == 4)
        if (strcmp(name, kernel->name) == 0 && tuning->count < MAX_ROWS)
            tuning->rows[tuning->count++] = (TuningRow){ arena_copy(stage, strlen(stage)), arena_copy(pass, strlen(pass)), kernel->name,
                                                         microseconds };
    if (!f || pclose(f) != 0)
        fail_with(EXIT_FILE, "--tune: the measuring program did not run to its end");
}

static void measure(Tuning *tuning, const Graph *graph, Settings settings, const Kernel *kernel, const char *folder, const char *version)
{
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *name = graph->name;
    const char *place = arena_format("%s/%s", folder, name);
    Plan *plan = plan_with(graph, settings, kernel);
    emit_model(plan, &(EmitOptions){ .directory = folder, .version = version, .fingerprint = "", .options = "" });
    SavedText files[] = { embedded_text(arena_format("%s/model.h", place), "runtime/model.h"),
                          embedded_text(arena_format("%s/measure.c", place), "tune/measure.c.in") };
    text_save_all(files, 2);
    fprintf(stderr, "caec: measuring %s\n", kernel->name);
    const char *command = arena_format("cd '%s' && %s -std=c11 -O3 %s -ffp-contract=fast -fno-math-errno -fno-trapping-math "
                                       "-fno-predictive-commoning -Wno-ignored-optimization-argument -DCAEC_REAL=%s -I. *.c -o measure %s -lm", place, cc, settings.target->flags, settings.real_double ? "double" : "float",
                                       plan_uses_openblas(plan) ? "-lopenblas" : "");
    if (system(command) != 0)
        fail_with(EXIT_FILE, "--tune: the C compiler %s failed (set CC to name another)", cc);
    run(tuning, arena_format("'%s/measure'", place), kernel);
    if (system(arena_format("rm -rf '%s'", place)) != 0)
        fail_with(EXIT_FILE, "--tune: cannot remove %s", place);
}

Tuning *tune_measure(const Graph *graph, Settings settings, const char *version)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *folder = (char *)arena_format("%s/caec-tune-XXXXXX", base);
    if (strchr(base, '\'') || !mkdtemp(folder))
        fail_with(EXIT_FILE, "--tune: cannot make a temporary folder in %s", base);
    Tuning *tuning = ARENA_NEW(Tuning);
    tuning->target = settings.target->name;
    tuning->real = settings.real_double ? "double" : "float";
    tuning->rows = ARENA_ARRAY(TuningRow, MAX_ROWS);
    for (int i = 0; all_kernels[i]; i++)
        if (is_convolution(all_kernels[i]))
            measure(tuning, graph, settings, all_kernels[i], folder, version);
    remove(folder);
    return tuning;
}
