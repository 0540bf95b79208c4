/* verify_reference.h - a reference for verify that the tests compute by themselves: the network of
 * tiny_model.c in plain double arithmetic, gradients by central differences (exact here, since the
 * loss is piecewise quadratic in any one parameter), Adam or adagrad by its formula. */
#ifndef TEST_VERIFY_REFERENCE_H
#define TEST_VERIFY_REFERENCE_H

#include "formats/safetensors.h"
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum {
    SIDE = 8,
    HALF = 4,
    COLOURS = 3,
    FEATURES = 4,
    BATCH = 2,
    STEPS = 3,
    PARAMETERS = 4,
    REALS = 108 + 4 + 108 + 3
};
enum { IMAGE = SIDE * SIDE * COLOURS, LATENT = HALF * HALF * FEATURES };
enum { K1 = 0, B1 = 108, K2 = 112, B2 = 220 };
enum { ITEMS = 4 + PARAMETERS * (STEPS + 2) };

/* temporary; the reference in it, and where what verify prints goes */
extern char folder[200], path[300], captured[300];

/* One array a tensor, and the list of them as the file has it. */
extern double input[BATCH * IMAGE], latent[BATCH * LATENT], output[BATCH * IMAGE],
    losses[STEPS + 1];
extern double weights[STEPS + 1][REALS], gradient[REALS];

extern SafetensorsItem items[ITEMS + 1];
extern double *sources[ITEMS + 1];
extern char names[ITEMS][64];
extern int item_count;

/* Trains again; the numbers from `trained` on rest. By adagrad where an lr of it is given, 0: by
   Adam. The metadata's optimizer, as `save` writes it; NULL: none. */
extern int trained;
extern double adagrad_lr;
extern const char *reference_optimizer;
void train_reference(void);

int make_reference(void **state);
int remove_reference(void **state);

SafetensorsItem *find_item(const char *name);
double *values_of(const char *name);
size_t item_values(const SafetensorsItem *item);

/* Saves the list (float32 rounded once, as the oracle does it, or float64). */
void save(SafetensorsType type);

#endif
