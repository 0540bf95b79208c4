/* caec: a Lua description of an autoencoder in, C out. */
#include "../runtime/formats/standard_streams.h"
#include "base/arena.h"
#include "base/files.h"
#include "base/signals.h"
#include "budget/make.h"
#include "command/expand.h"
#include "command/list.h"
#include "command/options.h"
#include "emit/library.h"
#include "emit/model.h"
#include "emit/summary.h"
#include "front/load.h"
#include "front/trained.h"
#include "ir/dot.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "program/print.h"
#include "tune/tune.h"

#include <stdio.h>
#include <string.h>

#ifndef CAEC_VERSION
#define CAEC_VERSION "0.1.0"
#endif

const char *argp_program_version = "caec " CAEC_VERSION;

static void show_plan(const Options *o, const Plan *plan)
{
    Text text = { 0 };
    if (o->dump && strcmp(o->dump, "plan") == 0)
        plan_print(&text, plan);
    else
        text_add(&text, "%s", plan->limit_report);
    if (o->memory)
        plan_print_memory(&text, plan);
    text_write(&text, stdout);
}

/* What --tune and --tuned know of this machine's kernels; NULL: neither was given. What is measured
   are the programs' kernels, also where a library is wanted. */
static const Tuning *tuning_of(const Options *o, const Graph *graph, Settings settings)
{
    if (!o->tune)
        return o->tuned ? tuning_read(o->tuned) : NULL;
    const Tuning *tuning = tune_measure(graph, settings, CAEC_VERSION);
    const Text measured = tuning_text(tuning);
    files_save(o->tune, &measured);
    return tuning;
}

static const Plan *plan(const Options *o, Graph *graph)
{
    Settings settings = { .target = o->target,
                          .real_double = o->real && strcmp(o->real, "double") == 0 };
    const Tuning *tuning = tuning_of(o, graph, settings);
    settings.library = o->library;
    settings.no_training = o->no_training;
    settings.small = o->small;
    settings.memory_limit = o->memory_limit;
    settings.stream = o->stream;
    settings.baked = o->weights;
    settings.half = options_want_half(o);
    return plan_make(graph, settings, o->forces, o->force_count, tuning);
}

static void emit(const Options *o, const Plan *made, const char *fingerprint)
{
    const Graph *graph = made->graph;
    const EmitOptions options = { .directory = o->directory,
                                  .version = CAEC_VERSION,
                                  .fingerprint = fingerprint,
                                  .options = o->given.data ? o->given.data : "",
                                  .runtime = !o->no_runtime,
                                  .force = o->force,
                                  .trained = o->weights ? trained_read(o->weights, graph) : NULL,
                                  .weights_as_c = o->weights_as
                                                  && strcmp(o->weights_as, "c") == 0 };
    (o->library ? emit_library : emit_model)(made, &options);
}

static void compile(const Options *o)
{
    Graph *graph = load_graph(o->graph);
    const char *fingerprint = print_fingerprint(graph);
    Text text = { 0 };
    if (o->summary)
        emit_summary(&text, graph);
    if (o->dot)
        dot_print(&text, graph);
    text_write(&text, stdout);
    graph->streams = o->stream;
    bool more = o->directory || o->dump || o->stop || o->memory || o->tune;
    if (!more || !pipeline_run(graph, o->dump, o->stop))
        return;
    const Plan *made = plan(o, graph);
    show_plan(o, made);
    if (o->directory && !(o->stop && strcmp(o->stop, "plan") == 0))
        emit(o, made, fingerprint);
}

int main(int argc, char **argv)
{
    Options options;
    standard_streams_open();
    signals_catch();
    options_read(&options, argc, argv);
    if (options.list)
        list_print(options.list, true);
    else if (options.expand)
        expand_kernel(&options);
    else
        compile(&options);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail_with(EXIT_FILE, "cannot write the output");
    arena_free_all();
    return EXIT_DONE;
}
