/* A caller's mistakes, one by one, in heap blocks of exactly the sizes that the header names: each
 * gets its code and nothing is touched. Compiled with the library of a model called "net" and
 * -fsanitize=address,undefined. Exits 0, or says which line failed. */
#include "net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void want(int line, int got, int right)
{
    if (got != right) {
        printf("line %d: %d, not %d\n", line, got, right);
        failures++;
    }
}
#define WANT(got, right) want(__LINE__, got, right)

static void *block(size_t bytes)
{
    void *p = aligned_alloc(NET_ALIGN, (bytes + NET_ALIGN - 1) / NET_ALIGN * NET_ALIGN);
    if (!p)
        exit(3);
    memset(p, 0x5a, bytes);
    return p;
}

static float *parameters, *latent, *output;
static uint8_t *image;
static char *prepared, *workspace;

static void inference(void)
{
    const size_t p = NET_PREPARED_BYTES, n = NET_WORKSPACE_BYTES;
    float *odd = (float *)(void *)((char *)parameters + 1);
    WANT(net_prepare(NULL, prepared, p), NET_NULL);
    WANT(net_prepare(parameters, NULL, p), NET_NULL);
    WANT(net_prepare(odd, prepared, p), NET_UNALIGNED);
    WANT(net_prepare(parameters, prepared + 16, p), NET_UNALIGNED);
    WANT(net_prepare(parameters, prepared, p - 1), NET_TOO_SMALL);
    WANT(net_prepare(parameters, prepared, 0), NET_TOO_SMALL);
    WANT(prepared[0] == 0x5a && prepared[p - 1] == 0x5a, 1);
    WANT(net_prepare(parameters, prepared, p), 0);

    WANT(net_encode(NULL, image, latent, workspace, n), NET_NULL);
    WANT(net_encode(prepared, NULL, latent, workspace, n), NET_NULL);
    WANT(net_encode(prepared, image, NULL, workspace, n), NET_NULL);
    WANT(net_encode(prepared, image, latent, NULL, n), NET_NULL);
    WANT(net_encode(prepared + 4, image, latent, workspace, n), NET_UNALIGNED);
    WANT(net_encode(prepared, image, odd, workspace, n), NET_UNALIGNED);
    WANT(net_encode(prepared, image, latent, workspace + 32, n), NET_UNALIGNED);
    WANT(net_encode(prepared, image, latent, workspace, n - 1), NET_TOO_SMALL);
    WANT(net_decode(NULL, latent, output, workspace, n), NET_NULL);
    WANT(net_decode(prepared, NULL, output, workspace, n), NET_NULL);
    WANT(net_decode(prepared, latent, NULL, workspace, n), NET_NULL);
    WANT(net_decode(prepared, latent, output, NULL, n), NET_NULL);
    WANT(net_decode(prepared, odd, output, workspace, n), NET_UNALIGNED);
    WANT(net_decode(prepared, latent, odd, workspace, n), NET_UNALIGNED);
    WANT(net_decode(prepared, latent, output, workspace, 0), NET_TOO_SMALL);
    WANT(net_reconstruct(NULL, image, output, workspace, n), NET_NULL);
    WANT(net_reconstruct(prepared, NULL, output, workspace, n), NET_NULL);
    WANT(net_reconstruct(prepared, image, NULL, workspace, n), NET_NULL);
    WANT(net_reconstruct(prepared, image, output, NULL, n), NET_NULL);
    WANT(net_reconstruct(prepared, image, output, workspace + 8, n), NET_UNALIGNED);
    WANT(net_reconstruct(prepared, image, output, workspace, n / 2), NET_TOO_SMALL);
    for (size_t i = 0; i < n; i++)
        if (workspace[i] != 0x5a) {
            printf("byte %zu of the workspace was touched\n", i);
            failures++;
            break;
        }
    WANT(net_encode(prepared, image, latent, workspace, n), 0);
    WANT(net_decode(prepared, latent, output, workspace, n), 0);
    WANT(net_reconstruct(prepared, image, output, workspace, n), 0);
}

#ifdef NET_TRAIN_IMAGES
static const uint8_t *group[NET_TRAIN_IMAGES + 1]; /* all the same image */

/* One group of images in the place of an image. */
static int net_train_image(void *t, const uint8_t *one, float *loss)
{
    for (int i = 0; i <= NET_TRAIN_IMAGES; i++)
        group[i] = image;
    group[NET_TRAIN_IMAGES - 1] = one;
    return net_train_images(t, group, NET_TRAIN_IMAGES, loss);
}

static void counts(void *t)
{
    float loss = 5;
    WANT(net_train_images(t, group, 0, &loss), NET_BAD_COUNT);
    WANT(net_train_images(t, group, -1, &loss), NET_BAD_COUNT);
    WANT(net_train_images(t, group, NET_TRAIN_IMAGES + 1, &loss), NET_BAD_COUNT);
    WANT(net_train_images(t, NULL, 1, &loss), NET_NULL);
    WANT(loss == 5, 1);
    WANT(net_update(t, 0.1f), NET_NO_IMAGES);
    WANT(net_train_images(t, group, 1, &loss), 0);
    WANT(net_update(t, 0), 0);
}
#endif

static void training(void)
{
    const size_t n = NET_TRAIN_BYTES, bytes = NET_PARAMETER_FLOATS * sizeof(float);
    char *t = block(n);
    float *before = block(bytes), loss;
    WANT(net_train_image(t, image, &loss), NET_NOT_OPEN);
    WANT(net_update(t, 0.1f), NET_NOT_OPEN);
    WANT(net_train_open(NULL, t, n), NET_NULL);
    WANT(net_train_open(parameters, NULL, n), NET_NULL);
    WANT(net_train_open((float *)(void *)((char *)parameters + 2), t, n), NET_UNALIGNED);
    WANT(net_train_open(parameters, t + 8, n), NET_UNALIGNED);
    WANT(net_train_open(parameters, t, n - 1), NET_TOO_SMALL);
    WANT(net_train_image(t, image, &loss), NET_NOT_OPEN);
    WANT(net_train_open(parameters, t, n), 0);
    memcpy(before, parameters, bytes);
    WANT(net_update(t, 0.1f), NET_NO_IMAGES);
    WANT(net_train_image(NULL, image, &loss), NET_NULL);
    WANT(net_train_image(t, NULL, &loss), NET_NULL);
    WANT(net_train_image(t, image, NULL), NET_NULL);
    WANT(net_train_image(t + 1, image, &loss), NET_UNALIGNED);
    WANT(net_update(t, 0.1f), NET_NO_IMAGES);
    WANT(net_train_image(t, image, &loss), 0);
    WANT(net_update(NULL, 0.1f), NET_NULL);
    WANT(net_update(t, -1), NET_BAD_RATE);
    WANT(net_update(t, NAN), NET_BAD_RATE);
    WANT(net_update(t, INFINITY), NET_BAD_RATE);
    WANT(memcmp(before, parameters, bytes) == 0, 1);
    WANT(net_update(t, 0.1f), 0);
    WANT(memcmp(before, parameters, bytes) == 0, 0);
    WANT(net_update(t, 0.1f), NET_NO_IMAGES);

    /* A loss that is no finite number, by the last bias: the images are forgotten, those after it
       count again. */
    float *last = parameters + NET_PARAMETER_FLOATS - 1;
    const float kept = *last;
    *last = INFINITY;
    WANT(net_train_open(parameters, t, n), 0);
    memcpy(before, parameters, bytes);
    WANT(net_train_image(t, image, &loss), 0);
    WANT(isfinite(loss), 0);
    WANT(net_update(t, 0.1f), NET_NOT_FINITE);
    WANT(memcmp(before, parameters, bytes) == 0, 1);
    WANT(net_update(t, 0.1f), NET_NO_IMAGES);
    *last = kept;
    WANT(net_train_open(parameters, t, n), 0);
    WANT(net_train_image(t, image, &loss), 0);
    WANT(net_update(t, 0.1f), 0);
#ifdef NET_TRAIN_IMAGES
    counts(t);
#endif
    free(t);
    free(before);
}

int main(void)
{
    parameters = block(NET_PARAMETER_FLOATS * sizeof(float));
    latent = block(NET_LATENT_FLOATS * sizeof(float));
    output = block(NET_OUTPUT_FLOATS * sizeof(float));
    image = block(NET_IMAGE_BYTES);
    prepared = block(NET_PREPARED_BYTES);
    workspace = block(NET_WORKSPACE_BYTES);
    for (size_t i = 0; i < NET_PARAMETER_FLOATS; i++)
        parameters[i] = (float)(i * 7 % 13) / 13 - 0.4f;
    inference();
    training();
    free(parameters);
    free(latent);
    free(output);
    free(image);
    free(prepared);
    free(workspace);
    return failures != 0;
}
