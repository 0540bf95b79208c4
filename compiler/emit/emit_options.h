/* emit_options.h - what is asked of the emitted C. */
#ifndef CAEC_EMIT_OPTIONS_H
#define CAEC_EMIT_OPTIONS_H

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

#endif
