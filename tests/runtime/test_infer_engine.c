/* What the commands of <name>-infer are made of: pixels, threads, stopping. */
#include "images/pixels.h"
#include "infer/infer.h"
#include "tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { BYTES = 8 * 8 * 3, LATENT = 4 * 4 * 4, REALS = 223, IMAGES = 7 };

static void pixels_are_rounded(void **state)
{
    const real values[] = { 0,
                            (real)(0.4999 / 255),
                            (real)(0.5001 / 255),
                            (real)(254.4 / 255),
                            (real)(254.6 / 255),
                            1,
                            7,
                            -1,
                            (real)NAN,
                            (real)INFINITY,
                            (real)-INFINITY };
    static const uint8_t wanted[] = { 0, 0, 1, 254, 255, 255, 255, 0, 0, 255, 0 };
    uint8_t pixels[11];
    (void)state;
    pixels_from_reals(values, 11, pixels);
    assert_memory_equal(pixels, wanted, 11);
}

/* However many threads share the images, each result is that of the model called directly. */
static void check_threads(const Model *model)
{
    static real parameters[REALS], latents[IMAGES * LATENT], outputs[IMAGES * BYTES],
        again[IMAGES * BYTES], wanted[BYTES];
    static uint8_t pixels[IMAGES][BYTES];
    static char prepared[REALS * sizeof(real)];
    const uint8_t *images[IMAGES];
    Infer infer;
    Error error;

    for (int i = 0; i < REALS; i++)
        parameters[i] = (real)(i * 37 % 101 - 40) / 100;
    for (int i = 0; i < IMAGES * BYTES; i++)
        pixels[i / BYTES][i % BYTES] = (uint8_t)(i * 31 % 251);
    for (int i = 0; i < IMAGES; i++)
        images[i] = pixels[i];
    caec_model.prepare(parameters, prepared);
    for (int threads = 1; threads <= 9; threads += 4) {
        assert_int_equal(infer_open(&infer, model, parameters, threads, &error), 0);
        infer_encode(&infer, IMAGES, images, latents);
        infer_decode(&infer, IMAGES, latents, outputs);
        infer_reconstruct(&infer, IMAGES, images, again);
        assert_memory_equal(outputs, again, sizeof outputs);
        for (int i = 0; i < IMAGES; i++) {
            caec_model.reconstruct(prepared, images[i], wanted, infer.workspaces[0], NULL);
            assert_memory_equal(outputs + i * BYTES, wanted, sizeof wanted);
        }
        infer_close(&infer);
    }
    assert_true(memcmp(outputs, outputs + BYTES, BYTES * sizeof(real)) != 0);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    check_threads(&caec_model);
}

/* Seven images are a microbatch of four and one of three. */
static void microbatches_change_nothing(void **state)
{
    (void)state;
    const Model batched = tiny_batched();
    tiny_largest_microbatch = 0;
    check_threads(&batched);
    assert_int_equal(tiny_largest_microbatch, TINY_MICROBATCH);
}

/* Not even where the model would take four at once. */
static void images_alone(void **state)
{
    static real parameters[REALS], latents[IMAGES * LATENT];
    static const uint8_t pixels[BYTES];
    const uint8_t *const images[] = { pixels, pixels, pixels, pixels, pixels };
    const Model batched = tiny_batched();
    Infer infer;
    Error error;

    (void)state;
    tiny_largest_microbatch = 0;
    assert_int_equal(infer_open(&infer, &batched, parameters, 2, &error), 0);
    infer.alone = true;
    infer_encode(&infer, 5, images, latents);
    assert_true(tiny_largest_microbatch <= 1);
    infer.alone = false;
    infer_encode(&infer, 5, images, latents);
    assert_int_equal(tiny_largest_microbatch, TINY_MICROBATCH);
    infer_close(&infer);
}

static void batches_keep_threads_at_work(void **state)
{
    static real parameters[REALS];
    Model large = tiny_batched();
    Infer infer;
    Error error;

    (void)state;
    large.microbatch = 32;
    assert_int_equal(infer_open(&infer, &large, parameters, 3, &error), 0);
    assert_int_equal(infer_batch(&infer), 32 * infer.threads);
    infer_close(&infer);
    assert_int_equal(infer_open(&infer, &caec_model, parameters, 3, &error), 0);
    assert_int_equal(infer_batch(&infer), 8 * infer.threads);
    infer_close(&infer);
}

static void ignore(const char *text)
{
    (void)text;
}

static void refuses_two_channels(void **state)
{
    Model model = caec_model;
    char *arguments[] = { "x.png" };
    InferPaths list;
    Error error;

    (void)state;
    model.input.dim[2] = 2;
    assert_int_equal(infer_paths_open(&list, &model, arguments, 1, ignore, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "2 channels"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_rounded),           cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(microbatches_change_nothing),  cmocka_unit_test(images_alone),
        cmocka_unit_test(batches_keep_threads_at_work), cmocka_unit_test(refuses_two_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
