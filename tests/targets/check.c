/* check.c - a library that caec wrote, held against the numbers of reference.c wherever it runs:
 * inference, training, rows. Needs no C library, as the library does not. The bounds are those of
 * `cae-train verify` in float. */
#include "check.h"

#include "drawn.h"
#include "net.h"
#include "reference.h"

#define LENGTH(array_) (sizeof(array_) / sizeof *(array_))

static float latent[NET_LATENT_FLOATS], output[NET_OUTPUT_FLOATS];
static uint8_t image[NET_IMAGE_BYTES];
static _Alignas(NET_ALIGN) unsigned char workspace[NET_WORKSPACE_BYTES];

#ifdef BAKED /* the library carries the weights that reference.c wrote */
#define prepared net_prepared
#else
static float parameters[NET_PARAMETER_FLOATS];
static _Alignas(NET_ALIGN) unsigned char prepared[NET_PREPARED_BYTES];
#endif

static int failures;

static void say_number(double value)
{
    char digits[24], *at = digits + sizeof digits - 1;
    /* no number: the latter */
    uint64_t left = value < 1e18 ? (uint64_t)value : UINT64_C(999999999999999999);
    *at = 0;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    say(at);
}

/* In parts of 1e-9. */
static void verdict(const char *what, double difference, double bound)
{
    const int passed = difference <= bound;
    say(what);
    say(" ");
    say_number(difference * 1e9 + 0.5);
    say("e-9 of ");
    say_number(bound * 1e9 + 0.5);
    say(passed ? "e-9 passed\n" : "e-9 FAILED\n");
    failures += !passed;
}

static void want(const char *what, int result, int right)
{
    if (result == right)
        return;
    say(what);
    say(" gave another code FAILED\n");
    failures++;
}

static double size_of(double x)
{
    return x < 0 ? -x : x;
}

/* What is no number stays. */
static double larger(double a, double b)
{
    return b <= a || a != a ? a : b;
}

/* The largest difference relative to the largest of the right numbers. */
static double difference(const float *got, const double *right, size_t count, size_t each)
{
    double largest = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        largest = larger(largest, size_of(right[i]));
        most = larger(most, size_of((double)got[i * each] - right[i]));
    }
    return most / largest;
}

#ifndef BAKED
static void prepare(void)
{
    for (size_t k = 0; k < LENGTH(starts); k++)
        for (size_t i = starts[k].offset; i < starts[k].offset + starts[k].count; i++)
            parameters[i] = drawn_parameter(starts[k].fill, starts[k].limit, SEED, i);
    want("prepare", net_prepare(parameters, prepared, sizeof prepared), 0);
}
#endif

static void fill_image(unsigned seed)
{
    for (size_t i = 0; i < NET_IMAGE_BYTES; i++)
        image[i] = drawn_pixel(seed, i);
}

static void forget_results(void)
{
    for (size_t i = 0; i < NET_LATENT_FLOATS; i++)
        latent[i] = -1e6f;
    for (size_t i = 0; i < NET_OUTPUT_FLOATS; i++)
        output[i] = -1e6f;
}

static void check_results(const char *latent_what, const char *output_what)
{
    verdict(latent_what, difference(latent, RIGHT_LATENT, LENGTH(RIGHT_LATENT), EACH_LATENT), 1e-5);
    verdict(output_what, difference(output, RIGHT_OUTPUT, LENGTH(RIGHT_OUTPUT), EACH_OUTPUT), 1e-5);
}

static void check_inference(void)
{
    forget_results();
    want("encode", net_encode(prepared, image, latent, workspace, sizeof workspace), 0);
    want("reconstruct", net_reconstruct(prepared, image, output, workspace, sizeof workspace), 0);
    check_results("inference latent", "inference output");
    want("too small a workspace",
         net_encode(prepared, image, latent, workspace, sizeof workspace - 1), NET_TOO_SMALL);
    want("an unaligned workspace",
         net_encode(prepared, image, latent, workspace + 1, sizeof workspace), NET_UNALIGNED);
}

#ifdef NET_STREAM_BYTES
static _Alignas(NET_ALIGN) unsigned char stream[NET_STREAM_BYTES];

/* Pulls whatever is there of `left` rows; how many. */
static int pull_all(float *rows, int left, int count)
{
    int pulled = 0, result = 1;
    while (pulled < left
           && (result = net_stream_pull(stream, rows + (size_t)pulled * (size_t)count)) == 1)
        pulled++;
    want("pull", result == 0 || result == 1, 1);
    return pulled;
}

static void stream_image(int what, float *rows, int row_count, int count)
{
    int pulled = 0;
    want("stream_open", net_stream_open(prepared, what, stream, sizeof stream), 0);
    for (int y = 0; y < NET_IMAGE_ROWS; y++) {
        want("push", net_stream_push(stream, image + (size_t)y * NET_IMAGE_ROW_BYTES), 0);
        pulled += pull_all(rows + (size_t)pulled * (size_t)count, row_count - pulled, count);
    }
    want("rows of the result", pulled, row_count);
    want("pull after the last row", net_stream_pull(stream, rows), NET_NO_MORE_ROWS);
}

static void check_stream(void)
{
    forget_results();
    stream_image(NET_LATENT, latent, NET_LATENT_ROWS, NET_LATENT_ROW_FLOATS);
    stream_image(NET_OUTPUT, output, NET_OUTPUT_ROWS, NET_OUTPUT_ROW_FLOATS);
    check_results("streaming latent", "streaming output");
}
#endif

#if defined NET_TRAIN_BYTES && defined UPDATES
static _Alignas(NET_ALIGN) unsigned char training[NET_TRAIN_BYTES];

/* How far the parameters are from where they should be, in parts of the farthest way that one of
   them went. */
static void check_parameters(void)
{
    double way = 0, most = 0;
    size_t strays = 0;
    for (size_t k = 0; k < LENGTH(starts); k++)
        for (size_t i = starts[k].offset; i < starts[k].offset + starts[k].count; i++) {
            if (i % EACH_PARAMETERS != 0)
                continue;
            const double right = RIGHT_PARAMETERS[i / EACH_PARAMETERS],
                         d = size_of((double)parameters[i] - right);
            way = larger(
                way,
                size_of(right - (double)drawn_parameter(starts[k].fill, starts[k].limit, SEED, i)));
            most = larger(most, d);
            strays += !(d <= 5e-4);
        }
    if (NORMALIZED) {
        verdict("training parameters", most, 3e-3);
        verdict("training strays", (double)strays / LENGTH(RIGHT_PARAMETERS), 0.01);
    } else {
        verdict("training changes", most / way, 2e-3);
    }
}

static void check_training(void)
{
    double most = 0;
    want("update without training", net_update(output, NET_LEARNING_RATE) < 0, 1);
    want("train_open", net_train_open(parameters, training, sizeof training), 0);
    for (int i = 0; i < UPDATES * IMAGES; i++) {
        float loss = -1;
        fill_image((unsigned)(i % IMAGES));
        want("train_image", net_train_image(training, image, &loss), 0);
        most = larger(most, size_of((double)loss / RIGHT_LOSSES[i] - 1));
        if (i % IMAGES == IMAGES - 1)
            want("update", net_update(training, NET_LEARNING_RATE), 0);
    }
    verdict("training losses", most, 3e-4);
    check_parameters();
}
#endif

int check(void)
{
    failures = 0;
#ifndef BAKED
    prepare();
#endif
    fill_image(0);
    check_inference();
#ifdef NET_STREAM_BYTES
    check_stream();
#endif
#if defined NET_TRAIN_BYTES && defined UPDATES
    check_training();
#endif
    return failures != 0;
}
