/* dense_tiles - dense layers forward, in tiles of registers: a tile keeps its sums while it walks
   down the rows of the weights, where dense_plain brings each sum from memory and back. It adds in
   the same order, so that the bits are those of dense_plain. */
#include "dense.h"

enum {
    IMAGES = 4,      /* of a tile that reads a row of weights once for several */
    VECTORS = 2,     /* of such a tile: 8 sums, the weights and x, in 16 registers */
    LEAST_ALONE = 4, /* vectors of one image: fewer sums would wait for each other */
    MOST_ALONE = 8,
    MOST_BYTES = 1 << 20, /* of weights */
    CALL = 1000           /* cycles; more than of dense_blas, which is faster */
};

static const char *text(const Node *core)
{
    (void)core;
    return "dense_tiles.c.in";
}

/* Vectors of a tile of one image: the most of which whole tiles make the outputs; 0: none do. */
static int vectors_alone(const Node *core, const Settings *settings)
{
    int out = core->input[1]->shape.dim[1], lanes = settings_lanes(settings);
    for (int vectors = MOST_ALONE; vectors >= LEAST_ALONE; vectors--)
        if (out % (vectors * lanes) == 0)
            return vectors;
    return 0;
}

/* Without vectors a compiler makes more of dense_plain's loops, and weights that no cache holds are
   read faster from the first to the last. */
static bool fits(const Step *step, const Settings *settings)
{
    const Shape weights = step->core->input[1]->shape;
    int lanes = settings_lanes(settings);
    size_t bytes = (size_t)weights.dim[0] * (size_t)weights.dim[1]
                   * (size_t)settings_real_bytes(settings);
    return lanes > 1 && bytes <= MOST_BYTES && weights.dim[1] % (VECTORS * lanes) == 0
           && vectors_alone(step->core, settings) > 0;
}

static void plan(Step *step, const Settings *settings)
{
    dense_bind(step);
    step_number(step, "IMAGES", settings->library ? 1 : IMAGES); /* it has one image a call */
    step_number(step, "VECTORS", VECTORS);
    step_number(step, "ALONE", vectors_alone(step->core, settings));
}

static double cost(const Step *step, const Settings *settings)
{
    return step->core->op->macs(step->core) * 2 / settings_lanes(settings) + CALL;
}

static const char *const ops[] = { "dense", NULL };

const Kernel kernel_dense_tiles = {
    .name = "dense_tiles",
    .about = "dense layers forward, sums in registers; outputs in whole tiles",
    .ops = ops,
    .batched = true,
    .large = true,
    .text = text,
    .fits = fits,
    .cost = cost,
    .plan = plan,
};
