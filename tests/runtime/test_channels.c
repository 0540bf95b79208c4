/* Numbers of channels that picture files do not have: nothing is read or written beyond its place,
   and what cannot be is refused. */
#define _XOPEN_SOURCE 700
#include "images/image.h"
#include "images/pictures.h"
#include "images/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTH = 9, HEIGHT = 7, GUARD = 64 };

static char folder[256], path[300];

static int make_folder(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/test_channels.XXXXXX", top && *top ? top : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void the_network_is_named(void **state)
{
    (void)state;
    Error error;
    assert_int_equal(image_check_channels("net", 1, &error), 0);
    assert_int_equal(image_check_channels("net", 3, &error), 0);
    assert_int_equal(image_check_channels("net", 4, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_string_equal(error.text,
                        "the network net takes images of 4 channels; picture files have 1 or 3");
}

/* Whether the picture is scaled or of the very size: refused before a byte is written. */
static void no_picture_fits(void **state)
{
    (void)state;
    static const int sizes[][2] = { { WIDTH, HEIGHT }, { 4, 4 }, { 20, 30 } },
                     counts[][2] = { { 3, 2 }, { 3, 4 }, { 1, 2 }, { 1, 4 },
                                     { 2, 2 }, { 4, 3 }, { 2, 1 }, { 3, 0 } };
    uint8_t pixels[WIDTH * HEIGHT * 4] = { 0 }, out[30 * 20 * 4], untouched[sizeof out];
    Error error;
    memset(out, 7, sizeof out);
    memset(untouched, 7, sizeof untouched);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (size_t s = 0; s < 3; s++) {
            Image image = { WIDTH, HEIGHT, counts[i][0], pixels, 8 };
            assert_int_equal(image_fit(&image, sizes[s][0], sizes[s][1], counts[i][1], out, &error),
                             -1);
            assert_int_equal(error.exit_code, EXIT_INPUT);
            assert_memory_equal(out, untouched, sizeof out);
        }
}

static void no_png_has_them(void **state)
{
    (void)state;
    static const uint8_t pixels[4 * 4 * 4];
    static const int counts[] = { 0, 2, 4 };
    Error error;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(image_write_png(path, 4, 4, counts[i], pixels, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        assert_int_equal(access(path, F_OK), -1);
    }
}

/* Channel c of a picture is channel c % 3 of the one in colours. The room is as large as the
   picture, and the heap is watched under a sanitizer. */
static void pictures_are_drawn_in_any_number(void **state)
{
    (void)state;
    static const int counts[] = { 2, 4, 5, 80 };
    static uint8_t colours[WIDTH * HEIGHT * 3];
    picture_draw(1, 7, HEIGHT, WIDTH, 3, colours);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t channels = (size_t)counts[i], n = WIDTH * HEIGHT * channels;
        uint8_t *pixels = malloc(n + GUARD);
        assert_non_null(pixels);
        memset(pixels, 99, n + GUARD);
        picture_draw(1, 7, HEIGHT, WIDTH, counts[i], pixels);
        for (size_t at = 0; at < n; at++)
            assert_int_equal(pixels[at], colours[at / channels * 3 + at % channels % 3]);
        for (size_t at = n; at < n + GUARD; at++)
            assert_int_equal(pixels[at], 99);
        free(pixels);
    }
}

/* A sheet shows the first three channels, or the first alone of two. */
static void sheets_show_what_can_be_shown(void **state)
{
    (void)state;
    for (int channels = 2; channels <= 5; channels++) {
        size_t n = (size_t)(2 * 3 * channels);
        uint8_t *cell = malloc(n);
        const uint8_t *cells[2] = { cell, cell };
        Image image;
        Error error;
        assert_non_null(cell);
        for (size_t i = 0; i < n; i++)
            cell[i] = (uint8_t)(10 + i);
        assert_int_equal(report_sheet(path, cells, 1, 2, 2, 3, channels, &error), 0);
        assert_int_equal(image_read(&image, path, &error), 0);
        assert_true(image.width == 3 && image.height == 2 + 2 + 2);
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 3; x++)
                for (int c = 0; c < 3; c++) {
                    int from = (y % 4 * 3 + x) * channels + (channels == 2 ? 0 : c);
                    assert_int_equal(image.pixels[(y * 3 + x) * 3 + c],
                                     y == 2 || y == 3 ? 255 : 10 + from);
                }
        image_free(&image);
        free(cell);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_is_named),
        cmocka_unit_test(no_picture_fits),
        cmocka_unit_test(no_png_has_them),
        cmocka_unit_test(pictures_are_drawn_in_any_number),
        cmocka_unit_test(sheets_show_what_can_be_shown),
    };
    return cmocka_run_group_tests_name("channels", tests, make_folder, remove_folder);
}
