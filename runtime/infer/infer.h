/* infer.h - a model with weights, ready to run on pictures, latents, or whole lists of files, with
   as many threads as there are. */
#ifndef CAEC_INFER_H
#define CAEC_INFER_H

#include "error.h"
#include "model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Infer {
    const Model *model;
    int threads; /* may be lowered between calls */
    int opened_threads;
    void *prepared;
    void **workspaces; /* one a thread */
    /* No microbatches: an image's result has the same bits whatever is run beside it, which
       products of OpenBLAS do not promise. False once opened. */
    bool alone;
} Infer;

/* Takes the weights over into the kernels' packings; `parameters` is not needed afterwards. threads
   >= 1 (counts as 1 in a program built without OpenMP). The holder calls infer_close. */
int infer_open(Infer *infer, const Model *model, const real *parameters, int threads, Error *error);
void infer_close(Infer *infer);

/* n images at once, each on one thread (a microbatch on one thread), a single one on all threads by
   bands of rows (ModelTeam) where the model can be divided; results stand one after another in the
   order of the images and do not depend on the threads. */
void infer_encode(Infer *infer, int n, const uint8_t *const *images, real *latents);
void infer_decode(Infer *infer, int n, const real *latents, real *outputs);
void infer_reconstruct(Infer *infer, int n, const uint8_t *const *images, real *outputs);

/* How many images to hand over at once, so that every thread has work for a while. */
int infer_batch(const Infer *infer);

/* Numbers in one image, latent or output. */
size_t infer_count(const ModelShape *shape);

/* Refuses (EXIT_INPUT) results that are not finite, or too large for the float32 of an array of
   latents. `what` they are ("latent", "reconstruction") of the picture `of`. */
int infer_check_finite(const real *values, size_t count, const char *what, const char *of,
                       Error *error);

/* Picture files as a command line names them. A folder stands for its JPEG and PNG files, any
   depth, sorted by the bytes of their relative paths. */
typedef struct InferPaths {
    char **paths;
    unsigned char *named; /* 1 where the user named the very file: then it must be readable; others
                             are passed over with a warning */
    size_t count, room;
    void (*warn)(const char *text);
} InferPaths;

/* Lists the files. Refuses a model whose pictures have neither 1 nor 3 channels. `warn` gets one
   line without a newline. */
int infer_paths_open(InferPaths *list, const Model *model, char *const *arguments, int count,
                     void (*warn)(const char *text), Error *error);
void infer_paths_close(InferPaths *list); /* fine on a zeroed one */

/* Reads one file and fits it to the model: pixels[height * width * channels]. `warn` as
   image_warn_deep does. */
int infer_read(const Model *model, const char *path, uint8_t *pixels,
               void (*warn)(const char *text), Error *error);

/* Takes one picture's result: `picture` is its place in the list. Returns 0, or -1 with the error
   to stop. */
typedef int (*InferTake)(void *context, size_t picture, const uint8_t *pixels, const real *result,
                         Error *error);

typedef enum InferWhat { INFER_LATENT, INFER_OUTPUT } InferWhat;

/* Reads and runs all files of a list, a few per thread at a time, and hands over latents or outputs
   in the order of the list. Files of a folder that turn out unreadable are left out after a
   warning. A list without one readable picture is an error, and so is a result that is not
   finite. */
int infer_files(Infer *infer, const InferPaths *list, InferWhat what, InferTake take, void *context,
                Error *error);

#endif
