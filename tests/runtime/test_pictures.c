/* The built-in pictures: the same everywhere, and with the statistics of photographs. */
#define _XOPEN_SOURCE 700
#include "images/pictures.h"

#include "images/image.h"
#include "images/signal_draw.h"
#include "train/command_pictures.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 128, COUNT = 32 };
static uint8_t colour[COUNT][SIDE * SIDE * 3];

static int draw_all(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        picture_draw(1, (uint64_t)i, SIDE, SIDE, 3, colour[i]);
    return 0;
}

static void test_same_arguments_same_bytes(void **state)
{
    (void)state;
    static uint8_t again[SIDE * SIDE * 3];
    /* in another order: no picture depends on the one before */
    for (int i = COUNT - 1; i >= 0; i -= 7) {
        memset(again, i, sizeof again);
        picture_draw(1, (uint64_t)i, SIDE, SIDE, 3, again);
        assert_memory_equal(again, colour[i], sizeof again);
    }
    picture_draw(2, 0, SIDE, SIDE, 3, again);
    assert_memory_not_equal(again, colour[0], sizeof again);
    assert_memory_not_equal(colour[0], colour[1], sizeof again);
}

/* Not a truth but a promise: these bytes do not change from one machine, compiler or version to
   another, so runs can be compared. */
static void test_same_bytes_everywhere(void **state)
{
    (void)state;
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (int i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizeof colour[i]; j++)
            hash = (hash ^ colour[i][j]) * UINT64_C(0x100000001B3);
    assert_int_equal(hash, UINT64_C(0xAF90279A1C394EEB));
}

static void test_mean_and_spread(void **state)
{
    (void)state;
    for (int c = 0; c < 3; c++) {
        double mean = 0, spread = 0;
        for (int i = 0; i < COUNT; i++) {
            double sum = 0, squares = 0, n = SIDE * SIDE;
            for (int j = 0; j < SIDE * SIDE; j++) {
                double v = colour[i][3 * j + c] / 255.0;
                sum += v;
                squares += v * v;
            }
            mean += sum / n / COUNT;
            spread += sqrt(squares / n - sum / n * (sum / n)) / COUNT;
        }
        assert_true(mean > 0.35 && mean < 0.55);
        assert_true(spread > 0.20 && spread < 0.28);
    }
}

/* Adds the power of one row's luma, under a Hann window, at frequencies 0 .. SIDE / 2 - 1. */
static void add_row_power(const uint8_t *row, double *power)
{
    double luma[SIDE], mean = 0, pi = acos(-1.0);
    for (int x = 0; x < SIDE; x++) {
        luma[x] = 0.299 * row[3 * x] + 0.587 * row[3 * x + 1] + 0.114 * row[3 * x + 2];
        mean += luma[x] / SIDE;
    }
    for (int k = 0; k < SIDE / 2; k++) {
        double re = 0, im = 0;
        for (int x = 0; x < SIDE; x++) {
            double v = (luma[x] - mean) * (1 - cos(2 * pi * x / SIDE));
            re += v * cos(2 * pi * k * x / SIDE);
            im += v * sin(2 * pi * k * x / SIDE);
        }
        power[k] += re * re + im * im;
    }
}

/* Photographs' power falls like 1/f^alpha with alpha near 2 (Field 1987): the slope of log power
   over log frequency. */
static void test_spectrum_falls_like_that_of_photographs(void **state)
{
    (void)state;
    double power[SIDE / 2] = { 0 }, n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < COUNT; i++)
        for (int y = 0; y < SIDE; y += 8)
            add_row_power(colour[i] + (size_t)y * SIDE * 3, power);
    for (int k = 3; k < SIDE / 2; k++) {
        double x = log(k), y = log(power[k]);
        n += 1;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    double alpha = -(n * sxy - sx * sy) / (n * sxx - sx * sx);
    assert_true(alpha > 1.6 && alpha < 2.4);
}

/* One channel is the same scene in luma, but for rounding and for light that saturates. */
static void test_grey_is_luma(void **state)
{
    (void)state;
    static uint8_t grey[SIDE * SIDE];
    for (int i = 0; i < 4; i++) {
        double difference = 0;
        picture_draw(1, (uint64_t)i, SIDE, SIDE, 1, grey);
        for (int j = 0; j < SIDE * SIDE; j++) {
            const uint8_t *p = colour[i] + 3 * j;
            difference += fabs(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2] - grey[j])
                          / (SIDE * SIDE);
        }
        assert_true(difference < 4);
    }
}

/* Any size is drawn, all of it, and nothing beyond. */
static void test_sizes(void **state)
{
    (void)state;
    static const int sizes[][3] = { { 1, 1, 3 }, { 1, 300, 1 }, { 200, 2, 3 },
                                    { 8, 8, 3 }, { 28, 28, 1 }, { 33, 17, 3 } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = (size_t)(sizes[s][0] * sizes[s][1] * sizes[s][2]);
        uint8_t *first = malloc(n + 16), *second = malloc(n + 16);
        assert_non_null(first);
        assert_non_null(second);
        memset(first, 7, n + 16);
        memset(second, 200, n + 16);
        picture_draw(3, 4, sizes[s][0], sizes[s][1], sizes[s][2], first);
        picture_draw(3, 4, sizes[s][0], sizes[s][1], sizes[s][2], second);
        assert_memory_equal(first, second, n);
        for (size_t i = n; i < n + 16; i++)
            assert_true(first[i] == 7 && second[i] == 200);
        free(first);
        free(second);
    }
}

/* ---- Signals ---- */

enum { LENGTH = 1024, SIGNALS = 16 };
static uint8_t signals[SIGNALS][LENGTH * 3];

static void draw_signals(void)
{
    for (int i = 0; i < SIGNALS; i++)
        picture_draw(1, (uint64_t)i, 1, LENGTH, 3, signals[i]);
}

/* As with pictures, a promise. A column is the same signal as a row. */
static void test_signals_are_the_same_everywhere(void **state)
{
    (void)state;
    static uint8_t column[LENGTH * 3];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    draw_signals();
    for (int i = 0; i < SIGNALS; i++)
        for (size_t j = 0; j < sizeof signals[i]; j++)
            hash = (hash ^ signals[i][j]) * UINT64_C(0x100000001B3);
    assert_int_equal(hash, UINT64_C(0xD07576D6D831E940));
    picture_draw(1, 5, LENGTH, 1, 3, column);
    assert_memory_equal(column, signals[5], sizeof column);
    assert_memory_not_equal(signals[4], signals[5], sizeof column);
}

/* They use the range, hardly touch its ends, and go from sample to sample in small steps. */
static void test_signals_are_smooth(void **state)
{
    (void)state;
    draw_signals();
    for (int i = 0; i < SIGNALS; i++)
        for (int c = 0; c < 3; c++) {
            int low = 255, high = 0, largest = 0;
            for (int t = 0; t < LENGTH; t++) {
                int value = signals[i][3 * t + c];
                int step = t ? abs(value - signals[i][3 * (t - 1) + c]) : 0;
                low = value < low ? value : low;
                high = value > high ? value : high;
                largest = step > largest ? step : largest;
            }
            assert_true(high - low > 50);
            assert_true(low > 0 && high < 255);
            assert_true(largest < 35);
        }
}

/* One channel differs, over a part of the signal that is as long as its kind wants. */
static void check_anomaly(int i, int least, int most)
{
    uint8_t other[LENGTH * 3];
    int channels = 0, changed = 0, largest = 0;
    memcpy(other, signals[i], sizeof other);
    signal_add_anomaly(1, (uint64_t)i, LENGTH, 3, other);
    for (int c = 0; c < 3; c++) {
        int differing = 0;
        for (int j = c; j < LENGTH * 3; j += 3) {
            int difference = abs(other[j] - signals[i][j]);
            differing += difference > 0;
            largest = difference > largest ? difference : largest;
        }
        channels += differing > 0;
        changed += differing;
    }
    assert_int_equal(channels, 1);
    assert_in_range(changed, least, most);
    assert_true(largest > 30);
}

static void test_anomalies(void **state)
{
    (void)state;
    static const int extent[4][2] = { { 10, 18 }, { 90, 130 }, { 500, 896 }, { 60, 130 } };
    draw_signals();
    for (int i = 0; i < SIGNALS; i++)
        check_anomaly(i, extent[i % 4][0], extent[i % 4][1]);
}

/* `pictures --anomalies` writes the signals after those that training learns from, each with its
   anomaly; of a network of pictures it is refused, and nothing is written. */
static void test_command_writes_anomalies(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    char folder[300], path[320];
    static uint8_t expected[LENGTH * 3];
    Model model = { .name = "net", .input = { 3, { 1, LENGTH, 3 } } };
    Image image;
    Error error;
    snprintf(folder, sizeof folder, "%.200s/test_pictures.XXXXXX", top && *top ? top : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/0000.png", folder);
    assert_int_equal(command_pictures(&model, folder, 0, 1, true, &error), 0);
    picture_draw(1, 1024, 1, LENGTH, 3, expected);
    signal_add_anomaly(1, 1024, LENGTH, 3, expected);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_memory_equal(image.pixels, expected, sizeof expected);
    image_free(&image);
    assert_int_equal(unlink(path), 0);
    model.input.dim[0] = 2;
    assert_int_equal(command_pictures(&model, folder, 0, 1, true, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "those of net are 2 x 1024"));
    assert_int_equal(rmdir(folder), 0);
}

/* The shortest signals have room for the longest anomalies; what is shorter is a picture. */
static void test_short_signals(void **state)
{
    (void)state;
    uint8_t signal[MIN_SIGNAL + 1];
    for (uint64_t i = 0; i < 64; i++) {
        signal[MIN_SIGNAL] = 7;
        picture_draw(1, i, 1, MIN_SIGNAL, 1, signal);
        signal_add_anomaly(1, i, MIN_SIGNAL, 1, signal);
        assert_int_equal(signal[MIN_SIGNAL], 7);
    }
    assert_int_equal(signal_length(1, MIN_SIGNAL - 1), 0);
    assert_int_equal(signal_length(2, 1000), 0);
    assert_int_equal(signal_length(1000, 1), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_arguments_same_bytes),
        cmocka_unit_test(test_same_bytes_everywhere),
        cmocka_unit_test(test_mean_and_spread),
        cmocka_unit_test(test_spectrum_falls_like_that_of_photographs),
        cmocka_unit_test(test_grey_is_luma),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_signals_are_the_same_everywhere),
        cmocka_unit_test(test_signals_are_smooth),
        cmocka_unit_test(test_anomalies),
        cmocka_unit_test(test_command_writes_anomalies),
        cmocka_unit_test(test_short_signals),
    };
    return cmocka_run_group_tests_name("pictures", tests, draw_all, NULL);
}
