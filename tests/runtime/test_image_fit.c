/* Scaling, mirroring and writing pictures. */
#include "image_files.h"
#include "image_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_fits(const uint8_t *source, int w, int h, int width, int height, int channels,
                        const uint8_t *expected)
{
    Image image = { w, h, 3, (uint8_t *)source, 8 };
    uint8_t out[13 * 11 * 3];
    Error error;
    assert_int_equal(image_fit(&image, width, height, channels, out, &error), 0);
    assert_memory_equal(out, expected, (size_t)(width * height * channels));
}

static void test_mirror(void **state)
{
    (void)state;
    static const uint8_t rows[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
                         colours[] = { 4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9 };
    static const uint8_t grey[] = { 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9 };
    uint8_t out[12];
    image_mirror(rows, 2, 2, 3, out);
    assert_memory_equal(out, colours, sizeof out);
    image_mirror(rows, 4, 3, 1, out);
    assert_memory_equal(out, grey, sizeof out);
}

static void test_fit_as_pillow(void **state)
{
    (void)state;
    assert_fits(fit_source, 9, 7, 4, 4, 3, fit_4x4x3);
    assert_fits(fit_source, 9, 7, 5, 2, 1, fit_5x2x1);
    assert_fits(fit_source, 9, 7, 13, 11, 3, fit_13x11x3);
    assert_fits(fit_source, 9, 7, 9, 7, 1, fit_9x7x1);
    assert_fits(fit_source, 9, 7, 3, 7, 3, fit_3x7x3);
    assert_fits(fit_source, 9, 7, 9, 7, 3, fit_source);
    assert_fits(fit_tall, 1, 100, 4, 3, 3, fit_tall_4x3x3);
}

/* A grey Image spreads over three channels; a constant one stays what it is at any scale (the
   weights sum to one). */
static void test_fit_grey_and_extremes(void **state)
{
    (void)state;
    enum { SIDE = 65500 };
    uint8_t *line = malloc(SIDE), out[24 * 16 * 3];
    Error error;
    assert_non_null(line);
    memset(line, 201, SIDE);
    static const int sizes[][2] = { { SIDE, 1 }, { 1, SIDE }, { 250, 262 }, { 1, 1 }, { 23, 17 } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        Image image = { sizes[s][0], sizes[s][1], 1, line, 8 };
        memset(out, 0, sizeof out);
        assert_int_equal(image_fit(&image, 24, 16, 3, out, &error), 0);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 201);
    }
    free(line);
}

static void test_write_and_read_back(void **state)
{
    (void)state;
    static const uint8_t grey[6] = { 0, 1, 127, 128, 254, 255 };
    uint8_t tripled[18];
    Image image;
    Error error;
    for (int i = 0; i < 18; i++)
        tripled[i] = grey[i / 3];
    assert_int_equal(image_write_png(path, 3, 2, 1, grey, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_memory_equal(image.pixels, tripled, sizeof tripled);
    image_free(&image);
    assert_int_equal(image_write_png(path, 9, 7, 3, fit_source, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_memory_equal(image.pixels, fit_source, sizeof fit_source);
    image_free(&image);
}

static void test_write_into_nothing(void **state)
{
    (void)state;
    static const uint8_t white = 255;
    char missing[400];
    Error error;
    snprintf(missing, sizeof missing, "%s/no/such/folder.png", folder);
    assert_int_equal(image_write_png(missing, 1, 1, 1, &white, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, missing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_fit_as_pillow),
        cmocka_unit_test(test_fit_grey_and_extremes),
        cmocka_unit_test(test_write_and_read_back),
        cmocka_unit_test(test_write_into_nothing),
    };
    return cmocka_run_group_tests_name("image_fit", tests, make_folder, remove_folder);
}
