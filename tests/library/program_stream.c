/* A library with --stream, by itself: rows pushed and pulled in random order give, bit for bit,
 * what whole images give; mistakes give their codes. Compiled with sanitizers, all blocks as small
 * as they may be. With COUNTED and -finstrument-functions, counted.h in the library's folder lists
 * functions and how often one image calls each. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"
#ifdef COUNTED
#include "net_kernels.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static uint32_t drawn(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void want(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* Of exactly so many bytes, so that AddressSanitizer sees what lies behind. */
static void *block_new(size_t bytes)
{
    void *block;
    want(posix_memalign(&block, NET_ALIGN, bytes) == 0, "no memory");
    return memset(block, 0xff, bytes);
}

/* One image, pushes and pulls as they fall; `eager` of 8 times a push. */
static void stream_image(const void *prepared, const uint8_t *image, int what, const float *right,
                         void *stream, unsigned eager)
{
    const int rows = what == NET_LATENT ? NET_LATENT_ROWS : NET_OUTPUT_ROWS;
    const size_t count = what == NET_LATENT ? NET_LATENT_ROW_FLOATS : NET_OUTPUT_ROW_FLOATS;
    float *row = block_new(count * sizeof *row);
    uint8_t *pixels = block_new(NET_IMAGE_ROW_BYTES);
    int pushed = 0, pulled = 0, stuck = 0;
    want(net_stream_open(prepared, what, stream, NET_STREAM_BYTES) == 0, "open");
    /* A row that sees zeros around the image alone may come before anything was pushed. */
    pulled = net_stream_pull(stream, row);
    want(pulled == 0 || (pulled == 1 && memcmp(row, right, count * sizeof *row) == 0),
         "a row that came before the image differs from the whole image's");
    while (pulled < rows && stuck < 2) {
        int result;
        if (drawn() % 8 < eager && pushed < NET_IMAGE_ROWS) {
            memcpy(pixels, image + (size_t)pushed * NET_IMAGE_ROW_BYTES, NET_IMAGE_ROW_BYTES);
            result = net_stream_push(stream, pixels);
            want(result == 0 || result == NET_FULL, "push");
            pushed += result == 0;
            if (result == NET_FULL) {
                want(net_stream_pull(stream, row) == 1, "full, but there is nothing to pull");
                want(memcmp(row, right + (size_t)pulled++ * count, count * sizeof *row) == 0,
                     "a row differs from the whole image's");
            }
            continue;
        }
        result = net_stream_pull(stream, row);
        want(result == 0 || result == 1, "pull");
        if (result == 1)
            want(memcmp(row, right + (size_t)pulled++ * count, count * sizeof *row) == 0,
                 "a row differs from the whole image's");
        stuck = result == 0 && pushed == NET_IMAGE_ROWS ? stuck + 1 : 0;
    }
    want(pulled == rows, "rows are missing");
    want(net_stream_pull(stream, row) == NET_NO_MORE_ROWS, "pulled after the last row");
    for (; pushed < NET_IMAGE_ROWS; pushed++)
        want(net_stream_push(stream, pixels) == 0, "rows that nobody reads are taken too");
    want(net_stream_push(stream, pixels) == NET_NO_MORE_ROWS, "pushed after the last row");
    free(row);
    free(pixels);
}

static void misuse(const void *prepared, const uint8_t *image, float *latent, float *output)
{
    char *stream = block_new(NET_STREAM_BYTES + NET_ALIGN);
    const size_t bytes = NET_STREAM_BYTES;
    want(net_stream_push(stream, image) == NET_NOT_OPEN
             && net_stream_pull(stream, output) == NET_NOT_OPEN,
         "not open");
    want(net_stream_open(NULL, NET_OUTPUT, stream, bytes) == NET_NULL
             && net_stream_open(prepared, NET_OUTPUT, NULL, bytes) == NET_NULL,
         "NULL");
    want(net_stream_open(prepared, NET_OUTPUT, stream, bytes - 1) == NET_TOO_SMALL, "too small");
    want(net_stream_open(prepared, NET_OUTPUT, stream + 4, bytes) == NET_UNALIGNED, "unaligned");
    want(net_stream_open((const char *)prepared + 4, NET_OUTPUT, stream, bytes) == NET_UNALIGNED,
         "unaligned weights");
    want(net_stream_open(prepared, 0, stream, bytes) == NET_BAD_WHAT
             && net_stream_open(prepared, 3, stream, bytes) == NET_BAD_WHAT,
         "what");
    want(net_stream_push(stream, image) == NET_NOT_OPEN, "nothing of all this opened it");
    want(net_stream_open(prepared, NET_OUTPUT, stream, bytes) == 0, "open");
    want(net_stream_push(NULL, image) == NET_NULL && net_stream_push(stream, NULL) == NET_NULL,
         "push NULL");
    want(net_stream_pull(NULL, output) == NET_NULL && net_stream_pull(stream, NULL) == NET_NULL,
         "pull NULL");
    want(net_stream_push(stream + 4, image) == NET_UNALIGNED
             && net_stream_pull(stream, (float *)(void *)((char *)output + 1)) == NET_UNALIGNED,
         "unaligned");
    want(NET_WORKSPACE_BYTES == NET_STREAM_BYTES, "whole images need what a stream needs");
    want(net_encode(prepared, image, latent, stream, bytes - 1) == NET_TOO_SMALL
             && net_encode(prepared, NULL, latent, stream, bytes) == NET_NULL,
         "encode");
    want(net_decode(prepared, latent, NULL, stream, bytes) == NET_NULL
             && net_decode(NULL, latent, output, stream, bytes) == NET_NULL,
         "decode");
    want(net_reconstruct(prepared, image, output, stream + 4, bytes) == NET_UNALIGNED,
         "reconstruct");
    free(stream);
}

#ifdef COUNTED
#define ROWS(function_, right_) { (void (*)(void))function_, right_, 0 },
static struct Counted {
    void (*function)(void);
    int right, calls;
} counted[] = {
#include "counted.h"
};

void __cyg_profile_func_enter(void *function, void *site) __attribute__((no_instrument_function));
void __cyg_profile_func_exit(void *function, void *site) __attribute__((no_instrument_function));

void __cyg_profile_func_enter(void *function, void *site)
{
    (void)site;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        counted[i].calls += (uintptr_t)counted[i].function == (uintptr_t)function;
}

void __cyg_profile_func_exit(void *function, void *site)
{
    (void)function;
    (void)site;
}

static void count(const void *prepared, const uint8_t *image, float *output, void *stream)
{
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        counted[i].calls = 0;
    want(net_reconstruct(prepared, image, output, stream, NET_STREAM_BYTES) == 0, "reconstruct");
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        if (counted[i].calls != counted[i].right)
            fprintf(stderr, "function %zu was called %d times, not %d\n", i, counted[i].calls,
                    counted[i].right);
        want(counted[i].calls == counted[i].right, "each row once");
    }
}
#endif

int main(void)
{
    float *parameters = block_new(sizeof(float) * NET_PARAMETER_FLOATS),
          *latent = block_new(sizeof(float) * NET_LATENT_FLOATS);
    float *output = block_new(sizeof(float) * NET_OUTPUT_FLOATS),
          *again = block_new(sizeof(float) * NET_OUTPUT_FLOATS);
    uint8_t *image = block_new(NET_IMAGE_BYTES);
    void *prepared = block_new(NET_PREPARED_BYTES), *stream = block_new(NET_STREAM_BYTES);
    for (size_t i = 0; i < NET_PARAMETER_FLOATS; i++)
        parameters[i] = ((float)drawn() / 8388608 - 1) * 0.4f;
    for (size_t i = 0; i < NET_IMAGE_BYTES; i++)
        image[i] = (uint8_t)drawn();
    want(net_prepare(parameters, prepared, NET_PREPARED_BYTES) == 0, "prepare");
    misuse(prepared, image, latent, output);
    want(net_encode(prepared, image, latent, stream, NET_STREAM_BYTES) == 0, "encode");
    want(net_reconstruct(prepared, image, output, stream, NET_STREAM_BYTES) == 0, "reconstruct");
    want(net_decode(prepared, latent, again, stream, NET_STREAM_BYTES) == 0, "decode");
    want(memcmp(output, again, sizeof(float) * NET_OUTPUT_FLOATS) == 0,
         "decode of encode is not reconstruct");
    for (unsigned eager = 1; eager <= 8; eager++) {
        stream_image(prepared, image, NET_OUTPUT, output, stream, eager);
        stream_image(prepared, image, NET_LATENT, latent, stream, eager);
    }
#ifdef COUNTED
    count(prepared, image, again, stream);
#endif
    free(parameters);
    free(latent);
    free(output);
    free(again);
    free(image);
    free(prepared);
    free(stream);
    return 0;
}
