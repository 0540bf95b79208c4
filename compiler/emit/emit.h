/* emit.h - from a plan to a folder of C. */
#ifndef CAEC_EMIT_H
#define CAEC_EMIT_H

#include "../front/trained.h"
#include "../program/plan.h"

typedef struct EmitOptions {
    const char *directory;   /* files go to <directory>/<model's name>/ */
    const char *version;     /* of caec */
    const char *fingerprint; /* of the graph as it was loaded */
    const char *options;     /* the command line's options that the output depends on, for its
                                README */
    bool runtime;            /* copy the runtime's sources too */
    bool force;              /* replace files there that are not ours */
    const Trained *trained;  /* with settings.baked */
    bool weights_as_c;       /* then: numbers of C, no bytes for the assembler */
} EmitOptions;

/* Expands every text first and saves all files then, so that an error leaves nothing written. */
void emit_model(const Plan *plan, const EmitOptions *options);

/* The same for a plan with settings.library: C that stands alone, under the names of the model. */
void emit_library(const Plan *plan, const EmitOptions *options);

/* The Keras table of layers. */
void emit_summary(Text *out, const Graph *graph);

/* Which layers the stage trains: "encoder.conv1 to encoder.pool1, decoder.conv3 to decoder.up3", or
   "all layers". */
const char *emit_stage_title(const Graph *graph, const Stage *stage);

/* One step's function as text, for --expand. */
void emit_function(Text *out, const Plan *plan, const Step *step);

#endif
