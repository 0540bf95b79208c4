/* npy.h - numpy's array files (numpy.lib.format): "\x93NUMPY", two version bytes, the header's
 * length (2 bytes in version 1, 4 in 2 and 3), the header (a Python dict of descr, fortran_order
 * and shape, padded with spaces, ended by a newline), then the elements.
 *
 * Read: little-endian float32 and float64 in C order. Written: float32 in C order, version 1. Works
 * on machines of either byte order. Arrays are read and written a piece at a time, so that they
 * need not fit in memory. Knows nothing of models. Every function that can fail returns 0, or -1
 * with one line for the user in message[size]. */
#ifndef CAEC_NPY_H
#define CAEC_NPY_H

#include "whole_file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { NPY_MAX_RANK = 8 };

typedef struct NpyReader {
    int rank;
    int64_t shape[NPY_MAX_RANK];
    size_t count;      /* product of the shape */
    int element_bytes; /* 4: float32, 8: float64 */
    size_t left;       /* elements not read yet */
    FILE *stream;
    const char *path; /* the caller's text */
} NpyReader;

/* Opens an array. *io is 1 where the file could not be read at all, 0 where its content is wrong. A
   plain file must have exactly the bytes that its header says. */
int npy_open(NpyReader *reader, const char *path, char *message, size_t size, int *io);

/* Reads the next `count` (<= left) elements as doubles. */
int npy_next(NpyReader *reader, double *out, size_t count, char *message, size_t size, int *io);

void npy_close(NpyReader *reader); /* fine on a zeroed or closed one */

typedef struct NpyWriter {
    WholeFile file;
    int rank;
    int64_t shape[NPY_MAX_RANK];
} NpyWriter;

/* Starts an array of shape[rank], whose first number may turn out smaller later. */
int npy_create(NpyWriter *writer, const char *path, int rank, const int64_t *shape, char *message,
               size_t size);

/* Adds elements; a failure shows at npy_commit. */
void npy_append(NpyWriter *writer, const float *values, size_t count);

/* Ends the array with `first` as its first number and puts it in its place. The caller has added
   exactly that many elements. */
int npy_commit(NpyWriter *writer, int64_t first, char *message, size_t size);

void npy_abandon(NpyWriter *writer); /* fine on a zeroed or committed one */

#endif
