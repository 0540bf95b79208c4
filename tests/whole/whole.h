/* whole.h - the finished programs as a user has them: where they are, folders of pictures, and what
 * they leave behind.
 *
 * "small" is graphs/cae.lua for 48x48 pictures, "unpool" graphs/cae_unpool.lua for the same,
 * "noisy" graphs/denoising_cae.lua with a dropout besides, "other" a network of other layers
 * (other.lua), "normed" one whose layers take statistics of several images (normed.lua), "grey" one
 * of dense layers, "two" and "four" have so many channels; they are
 * compiled with the tests. */
#ifndef TEST_WHOLE_H
#define TEST_WHOLE_H

#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIDE = 48, CHANNELS = 3, LATENT_SIDE = 6, LATENT_CHANNELS = 128 }; /* of "small" */

/* The programs. */
#define SMALL_TRAIN WHOLE_BIN "/small-train"
#define SMALL_INFER WHOLE_BIN "/small-infer"
#define NOISY_TRAIN WHOLE_BIN "/noisy-train"
/* graphs/stacked_cae.lua: stages of 2, 2, 2 and 3 epochs, with a noise in the second */
#define STACKED_TRAIN WHOLE_BIN "/stacked-train"
#define UNPOOL_TRAIN WHOLE_BIN "/unpool-train"
#define UNPOOL_INFER WHOLE_BIN "/unpool-infer"
#define OTHER_TRAIN WHOLE_BIN "/other-train"
#define OTHER_INFER WHOLE_BIN "/other-infer"
#define NORMED_TRAIN WHOLE_BIN "/normed-train"
#define TIED_TRAIN WHOLE_BIN "/tied-train" /* tests/whole/tied.lua: 16x16x3 */
#define NORMED_INFER WHOLE_BIN "/normed-infer"
/* grey.lua: 20x36x1, dense layers after a convolution */
#define GREY_TRAIN WHOLE_BIN "/grey-train"
#define GREY_INFER WHOLE_BIN "/grey-infer"
#define TWO_TRAIN WHOLE_BIN "/two-train" /* tests/reference/nets/small_valid.lua: 9x9x2 */
#define TWO_INFER WHOLE_BIN "/two-infer"
#define FOUR_TRAIN WHOLE_BIN "/four-train" /* small_four.lua: 8x12x4 */
#define FOUR_INFER WHOLE_BIN "/four-infer"
#define PRECISE_TRAIN WHOLE_BIN "/precise-train" /* the same network in double */

/* Writes `count` of small-train's pictures, drawn from the seed, into folder/name. */
void pictures_write(const char *folder, const char *name, int count, int seed);

/* A picture of 8-bit RGB values, rows from the top; `pixels` is to be freed. Fails the test where
   the file is no PNG. */
typedef struct Picture {
    int width, height;
    unsigned char *pixels;
} Picture;

Picture picture_read(const char *path);

/* Whether the part of the sheet with its corner at column x and row y holds the pixels of the other
   picture. */
bool picture_holds(const Picture *sheet, int x, int y, const Picture *part);

/* The number at the place of a comma-separated line (0: the first); fails the test where there is
   none. */
double field_of(const char *line, int place);
int count_lines(const char *text);

/* One message, and only that: the exit code, one line on stderr that names `what`, nothing on
   stdout. */
void want_refusal(const Result *result, int exit_code, const char *what);

#endif
