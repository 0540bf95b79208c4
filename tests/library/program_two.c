/* Two libraries, net and twin, each given the stream and the training that the other opened, in
 * heap blocks of exactly the sizes that the headers name: all is refused and nothing is touched.
 * Compiled with both and -fsanitize=address,undefined. Exits 0, or says which line failed. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"
#include "twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void want(int line, int got, int right)
{
    if (got == right)
        return;
    printf("line %d: %d, not %d\n", line, got, right);
    failures++;
}
#define WANT(got, right) want(__LINE__, got, right)

static void *block(size_t bytes)
{
    void *p;
    if (posix_memalign(&p, NET_ALIGN, bytes) != 0)
        exit(3);
    return memset(p, 0, bytes);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static float *parameters, *row;
static uint8_t *image;

static void streams(void)
{
    void *net_prepared = block(NET_PREPARED_BYTES), *twin_prepared = block(TWIN_PREPARED_BYTES);
    void *net = block(NET_STREAM_BYTES), *twin = block(TWIN_STREAM_BYTES);
    WANT(net_prepare(parameters, net_prepared, NET_PREPARED_BYTES), 0);
    WANT(twin_prepare(parameters, twin_prepared, TWIN_PREPARED_BYTES), 0);
    WANT(net_stream_open(net_prepared, NET_OUTPUT, net, NET_STREAM_BYTES), 0);
    WANT(twin_stream_open(twin_prepared, TWIN_OUTPUT, twin, TWIN_STREAM_BYTES), 0);
    WANT(net_stream_push(twin, image), NET_NOT_OPEN);
    WANT(net_stream_pull(twin, row), NET_NOT_OPEN);
    WANT(twin_stream_push(net, image), TWIN_NOT_OPEN);
    WANT(twin_stream_pull(net, row), TWIN_NOT_OPEN);
    WANT(net_stream_push(net, image), 0);
    WANT(twin_stream_push(twin, image), 0);
    free(net_prepared);
    free(twin_prepared);
    free(net);
    free(twin);
}

static void training(void)
{
    void *net = block(NET_TRAIN_BYTES), *twin = block(TWIN_TRAIN_BYTES);
    float loss;
    WANT(net_train_open(parameters, net, NET_TRAIN_BYTES), 0);
    WANT(twin_train_open(parameters, twin, TWIN_TRAIN_BYTES), 0);
    WANT(net_train_image(twin, image, &loss), NET_NOT_OPEN);
    WANT(net_update(twin, 0.1f), NET_NOT_OPEN);
    WANT(twin_train_image(net, image, &loss), TWIN_NOT_OPEN);
    WANT(twin_update(net, 0.1f), TWIN_NOT_OPEN);
    WANT(net_update(net, 0.1f), NET_NO_IMAGES);
    WANT(twin_update(twin, 0.1f), TWIN_NO_IMAGES);
    free(net);
    free(twin);
}

/* Neither kind of block passes for the other. */
static void stream_for_training(void)
{
    void *prepared = block(NET_PREPARED_BYTES),
         *both = block(larger(NET_STREAM_BYTES, NET_TRAIN_BYTES));
    float loss;
    WANT(net_stream_open(prepared, NET_OUTPUT, both, NET_STREAM_BYTES), 0);
    WANT(net_train_image(both, image, &loss), NET_NOT_OPEN);
    WANT(net_train_open(parameters, both, NET_TRAIN_BYTES), 0);
    WANT(net_stream_push(both, image), NET_NOT_OPEN);
    free(prepared);
    free(both);
}

int main(void)
{
    parameters = block(larger(NET_PARAMETER_FLOATS, TWIN_PARAMETER_FLOATS) * sizeof(float));
    row = block(larger(NET_OUTPUT_ROW_FLOATS, TWIN_OUTPUT_ROW_FLOATS) * sizeof(float));
    image = block(larger(NET_IMAGE_BYTES, TWIN_IMAGE_BYTES));
    streams();
    training();
    stream_for_training();
    free(parameters);
    free(row);
    free(image);
    return failures != 0;
}
