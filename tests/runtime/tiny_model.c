/* A complete small model written by hand, so that the runtime can be tested without the compiler:
 * 8x8x3 images,
 *
 *     encoder.conv1  3x3, 3 -> 4, ReLU     8x8x4
 *     encoder.pool1  max 2x2               4x4x4
 *     decoder.up1    nearest x2            8x8x4
 *     decoder.conv1  3x3, 4 -> 3, ReLU     8x8x3
 *
 * mean squared error. The last ReLU can be dead from the start. Also compiles with
 * -DCAEC_REAL=double, and with -DTINY_UNSUPPORTED for a processor that lacks what it needs. */
#include "tiny_model.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, HALF = 4, COLOURS = 3, FEATURES = 4, TAPS = 9 };
enum {
    K1 = 0,
    B1 = K1 + TAPS * COLOURS * FEATURES,
    K2 = B1 + FEATURES,
    B2 = K2 + TAPS * FEATURES * COLOURS,
    REALS = B2 + COLOURS
};

typedef struct Work {
    real input[SIDE * SIDE * COLOURS];
    real hidden[SIDE * SIDE * FEATURES], latent[HALF * HALF * FEATURES], up[SIDE * SIDE * FEATURES];
    real output[SIDE * SIDE * COLOURS];
    real d_hidden[SIDE * SIDE * FEATURES], d_up[SIDE * SIDE * FEATURES],
        d_output[SIDE * SIDE * COLOURS];
    int winner[HALF * HALF * FEATURES];
} Work;

static const ModelParameter parameters[] = {
    /* sqrt(6 / (27 + 36)) */
    { "encoder.conv1.kernel",
      { 4, { 3, 3, COLOURS, FEATURES } },
      K1,
      B1 - K1,
      0.30860669992418382,
      0 },
    { "encoder.conv1.bias", { 1, { FEATURES } }, B1, K2 - B1, 0, 0 },
    { "decoder.conv1.kernel",
      { 4, { 3, 3, FEATURES, COLOURS } },
      K2,
      B2 - K2,
      0.30860669992418382,
      0 },
    { "decoder.conv1.bias", { 1, { COLOURS } }, B2, REALS - B2, 0, 0 },
};

static const ModelStep infer_steps[] = {
    { "encoder.conv1", "forward", "plain", 6912, 0, 0, 0 },
    { "decoder.conv1", "forward", "plain", 6912, 0, 0, 0 },
};

#define VALUE(member) \
    offsetof(Work, member) / sizeof(real), sizeof((Work *)0)->member / sizeof(real)

static const ModelStep train_steps[] = {
    { "encoder.conv1", "forward", "plain", 6912, VALUE(latent), FEATURES },
    { "decoder.conv1", "forward", "plain", 6912, VALUE(output), COLOURS },
    { "decoder.conv1", "dX", "plain", 6912, VALUE(d_up), 0 },
    { "decoder.conv1", "dW", "plain", 6912, 0, 0, 0 },
    { "encoder.conv1", "dW", "plain", 6912, 0, 0, 0 },
};

static void mark(ModelClock *clock, int step)
{
    if (!clock)
        return;
    double now = clock->now();
    clock->seconds[step] += now - clock->last;
    clock->last = now;
}

static void start(ModelClock *clock)
{
    if (clock)
        clock->last = clock->now();
}

static int supported(void)
{
#ifdef TINY_UNSUPPORTED
    return 0;
#else
    return 1;
#endif
}

static void prepare(const real *w, void *prepared)
{
    memcpy(prepared, w, REALS * sizeof *w);
}

/* y = relu(conv3x3(x) + b), "same". */
static void conv(const real *x, int ci, const real *k, const real *b, real *y, int co)
{
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++)
            for (int o = 0; o < co; o++) {
                real sum = b[o];
                for (int t = 0; t < TAPS; t++) {
                    int r = row + t / 3 - 1, c = col + t % 3 - 1;
                    if (r < 0 || r >= SIDE || c < 0 || c >= SIDE)
                        continue;
                    for (int i = 0; i < ci; i++)
                        sum += x[(r * SIDE + c) * ci + i] * k[(t * ci + i) * co + o];
                }
                y[(row * SIDE + col) * co + o] = sum > 0 ? sum : 0;
            }
}

/* dy is the gradient at y = relu(...); adds to dk and db, and to dx unless it is NULL. */
static void conv_back(const real *x, int ci, const real *k, const real *y, const real *dy, int co,
                      real *dk, real *db, real *dx)
{
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++)
            for (int o = 0; o < co; o++) {
                int at = (row * SIDE + col) * co + o;
                if (!(y[at] > 0))
                    continue;
                db[o] += dy[at];
                for (int t = 0; t < TAPS; t++) {
                    int r = row + t / 3 - 1, c = col + t % 3 - 1;
                    if (r < 0 || r >= SIDE || c < 0 || c >= SIDE)
                        continue;
                    for (int i = 0; i < ci; i++) {
                        dk[(t * ci + i) * co + o] += x[(r * SIDE + c) * ci + i] * dy[at];
                        if (dx)
                            dx[(r * SIDE + c) * ci + i] += k[(t * ci + i) * co + o] * dy[at];
                    }
                }
            }
}

static void pool(const real *x, real *y, int *winner)
{
    for (int row = 0; row < HALF; row++)
        for (int col = 0; col < HALF; col++)
            for (int f = 0; f < FEATURES; f++) {
                int best = (2 * row * SIDE + 2 * col) * FEATURES + f;
                for (int t = 1; t < 4; t++) {
                    int at = ((2 * row + t / 2) * SIDE + 2 * col + t % 2) * FEATURES + f;
                    if (x[at] > x[best])
                        best = at;
                }
                y[(row * HALF + col) * FEATURES + f] = x[best];
                winner[(row * HALF + col) * FEATURES + f] = best;
            }
}

static void forward_encoder(const real *w, const uint8_t *image, real *latent, Work *work,
                            ModelClock *clock)
{
    start(clock);
    for (int i = 0; i < SIDE * SIDE * COLOURS; i++)
        work->input[i] = (float)image[i] / 255;
    conv(work->input, COLOURS, w + K1, w + B1, work->hidden, FEATURES);
    pool(work->hidden, latent, work->winner);
    mark(clock, 0);
}

static void forward_decoder(const real *w, const real *latent, real *output, Work *work,
                            ModelClock *clock)
{
    start(clock);
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++)
            memcpy(work->up + (row * SIDE + col) * FEATURES,
                   latent + (row / 2 * HALF + col / 2) * FEATURES, FEATURES * sizeof(real));
    conv(work->up, FEATURES, w + K2, w + B2, output, COLOURS);
    mark(clock, 1);
}

static void encode(const void *prepared, const uint8_t *image, real *latent, void *workspace,
                   ModelClock *clock)
{
    forward_encoder(prepared, image, latent, workspace, clock);
}

static void decode(const void *prepared, const real *latent, real *output, void *workspace,
                   ModelClock *clock)
{
    forward_decoder(prepared, latent, output, workspace, clock);
}

static void reconstruct(const void *prepared, const uint8_t *image, real *output, void *workspace,
                        ModelClock *clock)
{
    Work *work = workspace;
    forward_encoder(prepared, image, work->latent, work, clock);
    forward_decoder(prepared, work->latent, output, work, clock);
}

static double loss(const void *prepared, const uint8_t *image, void *workspace)
{
    Work *work = workspace;
    double sum = 0;
    reconstruct(prepared, image, work->output, work, NULL);
    for (int i = 0; i < SIDE * SIDE * COLOURS; i++) {
        double difference = (double)work->output[i] - (double)work->input[i];
        sum += difference * difference;
    }
    return sum / (SIDE * SIDE * COLOURS);
}

static void backward(const real *w, Work *work, real *gradient, ModelClock *clock)
{
    memset(work->d_up, 0, sizeof work->d_up);
    memset(work->d_hidden, 0, sizeof work->d_hidden);
    for (int i = 0; i < SIDE * SIDE * COLOURS; i++)
        work->d_output[i] = 2 * (work->output[i] - work->input[i]) / (SIDE * SIDE * COLOURS);
    conv_back(work->up, FEATURES, w + K2, work->output, work->d_output, COLOURS, gradient + K2,
              gradient + B2, work->d_up);
    mark(clock, 2);
    mark(clock, 3);
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++)
            for (int f = 0; f < FEATURES; f++)
                work->d_hidden[work->winner[(row / 2 * HALF + col / 2) * FEATURES + f]] +=
                    work->d_up[(row * SIDE + col) * FEATURES + f];
    conv_back(work->input, COLOURS, w + K1, work->hidden, work->d_hidden, FEATURES, gradient + K1,
              gradient + B1, NULL);
    mark(clock, 4);
}

static void backward_chunk(const void *prepared, const uint8_t *const *images,
                           const uint64_t *noise, int n, real *gradient, double *losses,
                           void *workspace, ModelClock *clock)
{
    (void)noise;
    for (int i = 0; i < n; i++) {
        start(clock);
        losses[i] = loss(prepared, images[i], workspace);
        mark(clock, 0);
        mark(clock, 1);
        backward(prepared, workspace, gradient, clock);
    }
}

int tiny_largest_microbatch;

/* Several threads come here at once. */
static void count_microbatch(int n)
{
    if (n > TINY_MICROBATCH)
        abort();
#pragma omp critical
    if (n > tiny_largest_microbatch)
        tiny_largest_microbatch = n;
}

static void encode_microbatch(const void *prepared, const uint8_t *const *images, int n,
                              real *latents, void *workspace, ModelClock *clock)
{
    count_microbatch(n);
    for (int i = 0; i < n; i++)
        encode(prepared, images[i], latents + i * HALF * HALF * FEATURES, workspace, clock);
}

static void decode_microbatch(const void *prepared, const real *latents, int n, real *outputs,
                              void *workspace, ModelClock *clock)
{
    count_microbatch(n);
    for (int i = 0; i < n; i++)
        decode(prepared, latents + i * HALF * HALF * FEATURES, outputs + i * SIDE * SIDE * COLOURS,
               workspace, clock);
}

static void reconstruct_microbatch(const void *prepared, const uint8_t *const *images, int n,
                                   real *outputs, void *workspace, ModelClock *clock)
{
    count_microbatch(n);
    for (int i = 0; i < n; i++)
        reconstruct(prepared, images[i], outputs + i * SIDE * SIDE * COLOURS, workspace, clock);
}

static void loss_microbatch(const void *prepared, const uint8_t *const *images, int n,
                            double *losses, void *workspace)
{
    count_microbatch(n);
    for (int i = 0; i < n; i++)
        losses[i] = loss(prepared, images[i], workspace);
}

const Model caec_model = {
    .name = "tiny",
    .graph = "graphs/tiny.lua",
    .target = "x86-64-v4",
    .version = "0.1",
    .fingerprint = "0123456789abcdef",
    .summary = "tiny: 8x8x3, 223 parameters\n",
    .input = { 3, { SIDE, SIDE, COLOURS } },
    .latent = { 3, { HALF, HALF, FEATURES } },
    .output = { 3, { SIDE, SIDE, COLOURS } },
    .parameters = parameters,
    .parameter_count = 4,
    .parameter_reals = REALS,
    .output_kernel = 2,
    .prepared_bytes = REALS * sizeof(real),
    .infer_bytes = sizeof(Work),
    .train_bytes = sizeof(Work),
    .forward_macs = 2 * 6912,
    .train_macs = 5 * 6912,
    .infer_steps = infer_steps,
    .infer_step_count = 2,
    .train_steps = train_steps,
    .train_step_count = 5,
    .training = { .loss = "mse",
                  .optimizer = { .name = "adam",
                                 .lr = 1e-3,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-7 },
                  .schedule = { .name = "constant" },
                  .batch = 16,
                  .epochs = 3 },
    .supported = supported,
    .prepare = prepare,
    .encode = encode,
    .decode = decode,
    .reconstruct = reconstruct,
    .loss = loss,
    .backward_chunk = backward_chunk,
};

Model tiny_batched(void)
{
    Model model = caec_model;
    model.microbatch = TINY_MICROBATCH;
    model.encode_microbatch = encode_microbatch;
    model.decode_microbatch = decode_microbatch;
    model.reconstruct_microbatch = reconstruct_microbatch;
    model.loss_microbatch = loss_microbatch;
    return model;
}
