#define _POSIX_C_SOURCE 200809L
#include "tune.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "../base/signals.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void save_embedded(const char *path, const char *name)
{
    const EmbeddedFile *file = embedded_find(name);
    Text text = { 0 };
    text_append(&text, file->text, file->length);
    text_save(path, &text);
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

/* While a command runs, the terminal's SIGINT and SIGQUIT end it alone: they are meant for caec as
 * well. */
static bool shell(const char *command)
{
    int status = system(command),
        signal = status != -1 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal == SIGINT || signal == SIGQUIT)
        raise(signal);
    return status == 0;
}

static void measure(Tuning *tuning, const Graph *graph, Settings settings, const Kernel *kernel, const char *folder, const char *version)
{
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *name = graph->name;
    const char *place = arena_format("%s/%s", folder, name);
    Plan *plan = plan_with(graph, settings, kernel);
    emit_model(plan, &(EmitOptions){ .directory = folder, .version = version, .fingerprint = "", .options = "" });
    save_embedded(arena_format("%s/model.h", place), "runtime/model.h");
    save_embedded(arena_format("%s/measure.c", place), "tune/measure.c.in");
    fprintf(stderr, "caec: measuring %s\n", kernel->name);
    const char *command = arena_format("cd '%s' && %s -std=c11 -O3 %s -ffp-contract=fast -fno-math-errno -fno-trapping-math "
                                       "-fno-predictive-commoning -Wno-ignored-optimization-argument -DCAEC_REAL=%s -I. *.c -o measure %s -lm", place, cc, settings.target->flags, settings.real_double ? "double" : "float",
                                       plan_uses_openblas(plan) ? "-lopenblas" : "");
    if (!shell(command))
        fail_with(EXIT_FILE, "--tune: the C compiler %s failed (set CC to name another)", cc);
    run(tuning, arena_format("'%s/measure'", place), kernel);
    if (!shell(arena_format("rm -rf '%s'", place)))
        fail_with(EXIT_FILE, "--tune: cannot remove %s", place);
}

/* Those that a process which is no more left in the folder for temporary files, our user's alone.
 */
static void sweep(const char *base)
{
    DIR *list = opendir(base);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        long pid;
        struct stat status;
        const char *path = arena_format("%s/%s", base, entry->d_name);
        if (sscanf(entry->d_name, "caec-tune-%ld-", &pid) == 1 && pid > 0 &&
            kill((pid_t)pid, 0) != 0 && errno == ESRCH && lstat(path, &status) == 0 &&
            S_ISDIR(status.st_mode) && status.st_uid == geteuid())
            signals_remove(path);
    }
    if (list)
        closedir(list);
}

static const char *temporary_folder(void)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *folder = (char *)arena_format("%s/caec-tune-%ld-XXXXXX", base, (long)getpid());
    if (strchr(base, '\'') || !mkdtemp(folder))
        fail_with(EXIT_FILE, "--tune: cannot make a temporary folder in %s", base);
    signals_temporary(folder);
    sweep(base);
    return folder;
}

Tuning *tune_measure(const Graph *graph, Settings settings, const char *version)
{
    const char *folder = temporary_folder();
    Tuning *tuning = ARENA_NEW(Tuning);
    tuning->target = settings.target->name;
    tuning->real = settings.real_double ? "double" : "float";
    tuning->rows = ARENA_ARRAY(TuningRow, MAX_ROWS);
    for (int i = 0; all_kernels[i]; i++)
        if (is_convolution(all_kernels[i]))
            measure(tuning, graph, settings, all_kernels[i], folder, version);
    signals_remove_temporary();
    return tuning;
}
