/* library.h - libraries that caec writes: built as their folder says, and loaded into this process.
   Needs a model called "net". */
#ifndef TEST_LIBRARY_H
#define TEST_LIBRARY_H

#include "build.h"
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>

/* A graph of the library's tests: HxWxC, encoder, decoder, and what its table `training` says. */
#define NET(h_, w_, c_, encoder_, decoder_, training_)                                        \
    "return autoencoder \"net\" {\n  input = { " #h_ ", " #w_ ", " #c_                        \
    " },\n  encoder = sequential \"encoder\" {\n    " encoder_ "\n  },\n"                     \
    "  decoder = sequential \"decoder\" {\n    " decoder_ "\n  },\n  training = { " training_ \
    " },\n}\n"

extern const char net_cae[], net_dense[], net_branches[], net_tied[], net_noise[], net_norm[],
    net_bce[], net_curved[], net_grouped[];

/* Writes the library into a new folder, below <folder>/net. */
char *library_write(const char *graph, const char *options);

/* Writes another beside it, of such a graph whose model is called `name` instead, below
   <folder>/<name>, without its example. */
void library_add(const char *folder, const char *name, const char *graph, const char *options);

/* Compiles its sources, those of the tests' driver in <folder>/more (blank: none) with them; the
   flags are those of its CMakeLists.txt, then `flags`. */
void library_compile(const char *folder, const char *flags, const char *more);

/* The same where there is no other library, its sources as one, which takes half the time. */
void library_compile_merged(const char *folder, const char *flags, const char *more);

/* The number after `#define <name>` in the text of a header; it must be there. */
long library_number(const char *header, const char *name);

enum {
    ERROR_NULL = -1,
    ERROR_UNALIGNED = -2,
    ERROR_TOO_SMALL = -3,
    ERROR_NOT_OPEN = -4,
    ERROR_NO_IMAGES = -5,
    ERROR_BAD_RATE = -6,
    ERROR_NOT_FINITE = -7,
    ERROR_BAD_COUNT = -11
};

typedef struct Library {
    char *folder;
    void *handle;
    /* as the header says */
    size_t align, image, latent, output, parameters, prepared_bytes, workspace_bytes, train_bytes;
    float rate;
    const void *baked; /* NULL: no weights in it */
    /* NULL: baked, and without training */
    int (*prepare)(const float *, void *, size_t);
    int (*encode)(const void *, const uint8_t *, float *, void *, size_t);
    /* NULL: the header has none */
    int (*decode)(const void *, const float *, float *, void *, size_t);
    int (*reconstruct)(const void *, const uint8_t *, float *, void *, size_t);
    /* these NULL: without training */
    int (*train_open)(float *, void *, size_t);
    int (*train_image)(void *, const uint8_t *, float *); /* NULL: instead of it */
    int (*train_images)(void *, const uint8_t *const *, int, float *);
    int (*update)(void *, float);
} Library;

Library library_load(const char *graph, const char *options);
/* Trained weights for a library: parameters by the names that <folder>/net/net.h tells, into
   <folder>/trained.safetensors, whose path is returned, to be freed. */
char *library_weights(const char *folder, const float *parameters);

void library_free(Library *library);

/* A block of so many bytes, filled with what is no number, at an address that a library wants; to
   be freed. */
void *block_new(size_t bytes);

void fill_parameters(float *parameters, const Model *model, unsigned seed);
void fill_image(uint8_t *image, size_t bytes, unsigned seed);

#endif
