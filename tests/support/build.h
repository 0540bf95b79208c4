/* build.h - from the text of a graph to a `const Model *` in this process: caec, the C compiler,
   dlopen. */
#ifndef TEST_BUILD_H
#define TEST_BUILD_H

#include "model.h"

#include <stdbool.h>

typedef struct Built {
    const Model *model;
    void *library;
    char *folder; /* temporary; the C is in <folder>/net */
} Built;

/* Whether this machine runs what is compiled for the target. */
bool machine_has(const char *target);

/* Compiles the graph, whose model must be called "net", with `caec --real <this program's real>
   <options>`, and all C that comes out with the flags that the emitted CMakeLists.txt names, at the
   environment's CAEC_OPTIMIZE (-O0) and without a warning. Fails the test where
   anything goes wrong. */
Built build_model(const char *graph, const char *options);

/* The same in half the time: the sources are compiled as one. */
Built build_model_merged(const char *graph, const char *options);

/* That again, but always at -O0: for a model that another is held against. */
Built build_model_unoptimized(const char *graph, const char *options);

/* The same C and `driver`, the path of a source or an object, as a program, with more flags;
   returns its path, to be freed; `folder` is where. */
char *build_program(const char *graph, const char *options, const char *driver, const char *flags,
                    const char *folder);

/* That compiled as one. */
char *build_program_merged(const char *graph, const char *options, const char *driver,
                           const char *flags, const char *folder);

void built_free(Built *built);

/* Of the C in <folder>/net: the flags that its CMakeLists.txt names, those of the target and of the
   kernels, in one line; and the sources' paths below the folder, a blank before each. To be
   freed. */
char *emitted_flags(const char *folder);
char *emitted_sources(const char *folder);

/* Writes a source that includes them all, net.c last and under its own names, which takes half the
   time to compile: " merged.c", to be freed. */
char *merged_sources(const char *folder);

#endif
