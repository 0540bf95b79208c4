#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "verify_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[200], path[300], captured[300];

double input[BATCH * IMAGE], latent[BATCH * LATENT], output[BATCH * IMAGE], losses[STEPS + 1];
double weights[STEPS + 1][REALS], gradient[REALS];

SafetensorsItem items[ITEMS + 1];
double *sources[ITEMS + 1];
char names[ITEMS][64];
int item_count;

static double pixel(const double *image, int y, int x, int c, int channels)
{
    return y < 0 || y >= SIDE || x < 0 || x >= SIDE ? 0 : image[(y * SIDE + x) * channels + c];
}

/* One value of relu(conv3x3) with HWIO kernel k. */
static double conv_at(const double *image, int channels, const double *k, const double *b, int y,
                      int x, int o, int outputs)
{
    double sum = b[o];
    for (int dy = 0; dy < 3; dy++)
        for (int dx = 0; dx < 3; dx++)
            for (int c = 0; c < channels; c++)
                sum += k[((dy * 3 + dx) * channels + c) * outputs + o]
                       * pixel(image, y + dy - 1, x + dx - 1, c, channels);
    return fmax(sum, 0);
}

/* The batch's mean squared error with weights w; fills latent and output where they are not
   NULL. */
static double forward(const double *w, double *latents, double *outputs)
{
    double sum = 0, pooled[LATENT], up[SIDE * SIDE * FEATURES];

    for (int b = 0; b < BATCH; b++) {
        const double *image = input + b * IMAGE;
        for (int y = 0; y < HALF; y++)
            for (int x = 0; x < HALF; x++)
                for (int f = 0; f < FEATURES; f++) {
                    double most = 0;
                    for (int t = 0; t < 4; t++)
                        most = fmax(most, conv_at(image, COLOURS, w + K1, w + B1, 2 * y + t / 2,
                                                  2 * x + t % 2, f, FEATURES));
                    pooled[(y * HALF + x) * FEATURES + f] = most;
                }
        for (int i = 0; i < SIDE * SIDE * FEATURES; i++) {
            int f = i % FEATURES, x = i / FEATURES % SIDE, y = i / FEATURES / SIDE;
            up[i] = pooled[(y / 2 * HALF + x / 2) * FEATURES + f];
        }
        for (int i = 0; i < IMAGE; i++) {
            double value = conv_at(up, FEATURES, w + K2, w + B2, i / COLOURS / SIDE,
                                   i / COLOURS % SIDE, i % COLOURS, COLOURS);
            sum += (value - image[i]) * (value - image[i]);
            if (outputs)
                outputs[b * IMAGE + i] = value;
        }
        if (latents)
            memcpy(latents + b * LATENT, pooled, sizeof pooled);
    }
    return sum / (BATCH * IMAGE);
}

static void differentiate(const double *w, double *g)
{
    double moved[REALS];
    memcpy(moved, w, sizeof moved);
    for (int i = 0; i < REALS; i++) {
        moved[i] = w[i] + 1e-6;
        double above = forward(moved, NULL, NULL);
        moved[i] = w[i] - 1e-6;
        g[i] = (above - forward(moved, NULL, NULL)) / 2e-6;
        moved[i] = w[i];
    }
}

static void add_item(const char *name, double *values, int rank, const int *dim)
{
    SafetensorsItem *item = &items[item_count];
    snprintf(names[item_count], sizeof names[0], "%s", name);
    *item = (SafetensorsItem){ .name = names[item_count], .type = SAFETENSORS_F32, .rank = rank };
    for (int i = 0; i < rank; i++)
        item->shape[i] = dim[i];
    sources[item_count++] = values;
}

static void add_parameters(const char *prefix, double *values)
{
    static const char *const parameter[] = { "encoder.conv1.kernel", "encoder.conv1.bias",
                                             "decoder.conv1.kernel", "decoder.conv1.bias" };
    static const int offset[] = { K1, B1, K2, B2 }, rank[] = { 4, 1, 4, 1 };
    static const int dim[][4] = { { 3, 3, 3, 4 }, { 4 }, { 3, 3, 4, 3 }, { 3 } };
    char name[64];

    for (int i = 0; i < PARAMETERS; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, parameter[i]);
        add_item(name, values + offset[i], rank[i], dim[i]);
    }
}

int trained = REALS;
double adagrad_lr;
const char *reference_optimizer;

static double adam_step(int t, double m, double v)
{
    return 1e-3 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)) * m / (sqrt(v) + 1e-7);
}

void train_reference(void)
{
    double m[REALS] = { 0 }, v[REALS] = { 0 }, sum[REALS] = { 0 }, g[REALS];

    for (int t = 1; t <= STEPS; t++) {
        differentiate(weights[t - 1], g);
        if (t == 1)
            memcpy(gradient, g, sizeof g);
        losses[t - 1] = forward(weights[t - 1], t == 1 ? latent : NULL, t == 1 ? output : NULL);
        for (int i = 0; i < REALS; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            sum[i] += g[i] * g[i];
            const double step = adagrad_lr > 0 ? adagrad_lr * g[i] / sqrt(0.1 + sum[i] + 1e-7)
                                               : adam_step(t, m[i], v[i]);
            weights[t][i] = weights[t - 1][i] - (i < trained) * step;
        }
    }
    losses[STEPS] = forward(weights[STEPS], NULL, NULL);
}

int make_reference(void **state)
{
    const char *base = getenv("TMPDIR");
    uint64_t random = 12345;

    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-verify-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/reference.safetensors", folder);
    snprintf(captured, sizeof captured, "%s/printed", folder);
    for (int i = 0; i < BATCH * IMAGE + REALS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (i < BATCH * IMAGE)
            input[i] = (double)(random >> 56) / 255;
        else
            weights[0][i - BATCH * IMAGE] = (float)(((double)(random >> 40) * 0x1p-23 - 1) * 0.3);
    }
    for (int i = 0; i < COLOURS; i++)
        weights[0][B2 + i] = (float)0.3;
    train_reference();

    add_item("input", input, 4, (int[]){ BATCH, SIDE, SIDE, COLOURS });
    add_parameters("step0/", weights[0]);
    add_item("latent", latent, 4, (int[]){ BATCH, HALF, HALF, FEATURES });
    add_item("output", output, 4, (int[]){ BATCH, SIDE, SIDE, COLOURS });
    add_parameters("grad/", gradient);
    for (int t = 1; t <= STEPS; t++)
        add_parameters((char[]){ 's', 't', 'e', 'p', (char)('0' + t), '/', 0 }, weights[t]);
    add_item("loss", losses, 1, (int[]){ STEPS + 1 });
    return item_count == ITEMS ? 0 : -1;
}

int remove_reference(void **state)
{
    (void)state;
    unlink(path);
    unlink(captured);
    return rmdir(folder);
}

SafetensorsItem *find_item(const char *name)
{
    for (int i = 0; i < item_count; i++)
        if (strcmp(items[i].name, name) == 0)
            return &items[i];
    fail_msg("no item %s", name);
    return NULL;
}

double *values_of(const char *name)
{
    return sources[find_item(name) - items];
}

size_t item_values(const SafetensorsItem *item)
{
    size_t count = 1;
    for (int i = 0; i < item->rank; i++)
        count *= (size_t)item->shape[i];
    return count;
}

void save(SafetensorsType type)
{
    char message[800];
    const char *const key = "optimizer";

    for (int i = 0; i < item_count; i++) {
        size_t count = item_values(&items[i]);
        float *values = malloc((count + 1) * sizeof *values);
        assert_non_null(values);
        for (size_t k = 0; k < count; k++)
            values[k] = (float)sources[i][k];
        items[i].type = type;
        items[i].values = type == SAFETENSORS_F32 ? (const void *)values : sources[i];
        if (type != SAFETENSORS_F32)
            free(values);
    }
    assert_int_equal(safetensors_write(path, items, item_count, &key, &reference_optimizer,
                                       reference_optimizer != NULL, message, sizeof message),
                     0);
    for (int i = 0; i < item_count && type == SAFETENSORS_F32; i++)
        free((void *)(uintptr_t)items[i].values);
}
