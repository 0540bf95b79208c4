/* draw.h - legal networks at random: every word of the language and every attribute, branches into
 * and out of everything, small shapes.
 *
 * A new layer is a kind in support/net.h, an operator in support/naive.h and a row of add_word
 * (draw_layers.c); what stands in the training table belongs to draw_training.c, which also checks
 * that the model says the same; stages to test_legal.c, since the compiler says which there can
 * be. */
#ifndef TEST_DRAW_H
#define TEST_DRAW_H

#include "net.h"

#include <stdbool.h>
#include <stdint.h>

enum { DRAWN_TEXTS = 4 * MAX_NET };

typedef struct Drawn {
    Net net;
    ModelTraining training;   /* what its training table says */
    bool noisy;               /* it has layers that draw */
    char *texts[DRAWN_TEXTS]; /* that the net's strings are in */
    int text_count;
} Drawn;

/* The net of a number among those of a seed; the same wherever the tests were built with the same C
   compiler. To be freed by drawn_free. */
Drawn *draw_net(uint64_t seed, int number);
void drawn_free(Drawn *drawn);

/* Fails the test where the model's training table is not what was drawn. */
void check_training(const Drawn *drawn, const Model *model);

/* The state of a generator of its own for one number of a seed; `purpose` tells several of them
   apart. */
uint64_t draw_state(uint64_t seed, int number, int purpose);

#endif
