/* infer_runs.h - what the tests of <name>-infer share: the program, run on weights for which its
 * results are known, in a folder of the test's own.
 *
 * The network is that of tiny_model.c. The centre taps pass three colours on, so that the latent is
 * the maximum of each 2x2 block and the output is that maximum four times. Feature 3 is the
 * constant 0.25, which nothing reads. */
#ifndef TEST_INFER_RUNS_H
#define TEST_INFER_RUNS_H

#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum {
    SIDE = 8,
    BYTES = SIDE * SIDE * 3,
    LATENT = 4 * 4 * 4,
    PICTURES = 3,
    REALS = 223,
    K1 = 0,
    B1 = 108,
    K2 = 112,
    B2 = 220
};

/* temporary; the weights and three pictures, in/a.png to in/c.png, in it */
extern char folder[200], weights[300];
extern uint8_t pictures[PICTURES][BYTES];
extern char text[65536]; /* what the last program printed */

int make_folder(void **state);
int remove_folder(void **state);

/* A path in the temporary folder, good for eight calls. */
char *at(const char *name);
int exists(const char *name);

/* Runs the program with these words in a child; its exit code, and what it printed in `text`. */
int run_words(char **words, int count);

#define RUN(...)                                             \
    run_words((char *[]){ "tiny-infer", __VA_ARGS__, NULL }, \
              sizeof((char *[]){ "tiny-infer", __VA_ARGS__ }) / sizeof(char *))

/* Latents of `rows` flat pictures: colour c of row r has the value levels[r] * (c + 1). */
void put_latents(const char *path, int rows, const float *levels);

/* A file's bytes, into `text`. */
void read_text(const char *path);

#endif
