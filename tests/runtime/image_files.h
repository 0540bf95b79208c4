/* image_files.h - what the tests of pictures share: one file, in a folder of the program's own, and
   files made byte by byte. */
#ifndef TEST_IMAGE_FILES_H
#define TEST_IMAGE_FILES_H

#include "images/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern char folder[256], path[300]; /* temporary; the file */

int make_folder(void **state);
int remove_folder(void **state);

/* Reads bytes as a file: its exit code, 0 for success. */
int read_bytes(const uint8_t *bytes, size_t n, Image *image, Error *error);

/* Fails where they are no picture of that size and these pixels, each within `tolerance`. */
void assert_reads_as(const uint8_t *bytes, size_t n, int width, int height, const uint8_t *pixels,
                     int tolerance);

/* Appends at `at`; returns where the next byte goes. add_chunk: a chunk of a PNG. */
size_t add(uint8_t *out, size_t at, const void *bytes, size_t n);
size_t add_chunk(uint8_t *out, size_t at, const char *name, const uint8_t *bytes, size_t n);

/* A PNG of `width` x `height` with the filterless rows in `raw`, which follows any chunks in
   `before`. Returns the length. */
size_t make_png(uint8_t *out, int width, int height, int bits, int type, const uint8_t *before,
                size_t n, const uint8_t *raw, size_t bytes);

#endif
