/* Sheets of pictures and the loss curve. */
#define _XOPEN_SOURCE 700
#include "images/report.h"

#include "images/image.h"
#include "images/report_curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256], path[300], text[200000];

static int make_folder(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/test_report.XXXXXX", top && *top ? top : "/tmp");
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

static const uint8_t *pixel(const Image *image, int x, int y)
{
    return image->pixels + (y * image->width + x) * 3;
}

/* 3 x 2 pictures of 5 x 4 pixels: 3 * 5 + 2 * 2 across, 2 * 4 + 2 down. */
static void test_sheet(void **state)
{
    (void)state;
    uint8_t pictures[6][4 * 5 * 3];
    const uint8_t *cells[6];
    Image image;
    Error error;
    for (int i = 0; i < 6; i++) {
        memset(pictures[i], 10 * i, sizeof pictures[i]);
        pictures[i][0] = 77; /* red at the upper left corner */
        cells[i] = i == 4 ? NULL : pictures[i];
    }
    assert_int_equal(report_sheet(path, cells, 3, 2, 4, 5, 3, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_int_equal(image.width, 19);
    assert_int_equal(image.height, 10);
    for (int y = 0; y < 10; y++)
        for (int x = 0; x < 19; x++) {
            int column = x / 7, row = y / 6, in = x % 7 < 5 && y % 6 < 4, cell = row * 3 + column;
            int expected = in && cell != 4 ? 10 * cell : 255;
            assert_int_equal(pixel(&image, x, y)[1], expected);
            assert_int_equal(pixel(&image, x, y)[0],
                             x % 7 == 0 && y % 6 == 0 && cell != 4 ? 77 : expected);
        }
    image_free(&image);
}

/* Signals are curves, and the sheet is turned: two columns of one row stand below each other. The
   first stays at 0, the bottom, the other goes from the top to the bottom in its middle. */
static void test_sheet_of_signals(void **state)
{
    (void)state;
    enum { LENGTH = 20 };
    uint8_t low[LENGTH] = { 0 }, falling[LENGTH] = { 0 };
    const uint8_t *cells[2] = { low, falling };
    Image image;
    Error error;
    memset(falling, 255, LENGTH / 2);
    assert_int_equal(report_sheet(path, cells, 2, 1, 1, LENGTH, 1, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_int_equal(image.width, LENGTH);
    assert_int_equal(image.height, 2 * CURVE_HEIGHT + 2);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < LENGTH; x++) {
            int first = y < CURVE_HEIGHT, row = first ? y : y - CURVE_HEIGHT - 2;
            int at = first || x >= LENGTH / 2 ? row == CURVE_HEIGHT - 1
                     : x == LENGTH / 2 - 1    ? row >= 0
                                              : row == 0;
            int drawn = pixel(&image, x, y)[0] < 100;
            assert_int_equal(drawn, at);
        }
    image_free(&image);
}

static void test_grey_sheet_of_one(void **state)
{
    (void)state;
    static const uint8_t grey[2] = { 3, 200 };
    const uint8_t *cells[1] = { grey };
    Image image;
    Error error;
    assert_int_equal(report_sheet(path, cells, 1, 1, 1, 2, 1, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_true(image.width == 2 && image.height == 1 && image.pixels[0] == 3
                && image.pixels[3] == 200);
    image_free(&image);
}

static void draw(const char *title, const ReportPoint *points, size_t count)
{
    Error error;
    assert_int_equal(report_loss_svg(path, title, points, count, &error), 0);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    assert_memory_equal(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39);
    assert_non_null(strstr(text, "</svg>"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}

static int occurrences(const char *word)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, word)); p++)
        n++;
    return n;
}

/* Loss 1, 0.5, 0 over epochs 1 to 3: a straight line, downwards on paper, that ends on the lower
   axis. */
static void test_line_stands_where_the_axes_say(void **state)
{
    (void)state;
    static const ReportPoint points[3] = { { 1, 1.0, 0.25 }, { 2, 0.5, NAN }, { 3, 0.0, 0.75 } };
    double x[3], y[3], axis_x, axis_top, axis_bottom, axis_right;
    draw("a < b & c", points, 3);
    assert_non_null(strstr(text, ">a &lt; b &amp; c</text>"));
    const char *curve = strstr(text, "stroke-linejoin");
    assert_non_null(curve);
    assert_int_equal(sscanf(strstr(curve, "d=\"M"), "d=\"M%lf %lfL%lf %lfL%lf %lf\"", &x[0], &y[0],
                            &x[1], &y[1], &x[2], &y[2]),
                     6);
    const char *axes = strstr(text, "fill=\"none\" stroke=\"#444\"");
    assert_non_null(axes);
    while (strncmp(axes, "<path", 5) != 0)
        axes--;
    assert_int_equal(
        sscanf(axes, "<path d=\"M%lf %lfV%lfH%lf", &axis_x, &axis_top, &axis_bottom, &axis_right),
        4);
    assert_true(fabs(y[0] - axis_top) < 0.11 && fabs(y[2] - axis_bottom) < 0.11
                && fabs(y[1] - (axis_top + axis_bottom) / 2) < 0.11);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(x[i] - (axis_x + (axis_right - axis_x) * (i + 1) / 3)) < 0.11);
    assert_int_equal(occurrences("<circle"), 5);
    assert_non_null(strstr(text, "loss: last 0, best 0 in epoch 3<"));
    assert_non_null(strstr(text, "val_loss: last 0.75, best 0.25 in epoch 1<"));
    static const char *const ticks[] = { ">0.2<", ">0.4<", ">0.6<", ">0.8<",
                                         ">1<",   ">0<",   ">2<",   ">3<" };
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++)
        assert_true(occurrences(ticks[i]) >= 1);
}

static void test_few_and_odd_points(void **state)
{
    (void)state;
    static const ReportPoint one = { 1, 0.125, NAN }, none = { 1, NAN, NAN },
                             flat[2] = { { 1, 0.3, 0.3 }, { 2, 0.3, 0.3 } };
    static const ReportPoint wild[3] = { { 1, INFINITY, 1e30 }, { 2, 1e-30, -2 }, { 3, 5, NAN } };
    draw("one", &one, 1);
    assert_int_equal(occurrences("<circle"), 1);
    assert_int_equal(occurrences("val_loss"), 0);
    assert_non_null(strstr(text, "best 0.125 in epoch 1<"));
    draw("none", &none, 1);
    assert_int_equal(occurrences("<circle"), 0);
    draw("nothing", NULL, 0);
    draw("flat", flat, 2);
    assert_int_equal(occurrences("<circle"), 4);
    draw("wild", wild, 3);
    assert_int_equal(occurrences("<circle"), 4);
}

static void test_unwritable(void **state)
{
    (void)state;
    static const ReportPoint one = { 1, 0.125, NAN };
    static const uint8_t grey = 0;
    const uint8_t *cells[1] = { &grey };
    char missing[400];
    Error error;
    snprintf(missing, sizeof missing, "%s/missing/file", folder);
    assert_int_equal(report_loss_svg(missing, "", &one, 1, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, missing));
    assert_int_equal(report_sheet(missing, cells, 1, 1, 1, 1, 1, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sheet),
        cmocka_unit_test(test_sheet_of_signals),
        cmocka_unit_test(test_grey_sheet_of_one),
        cmocka_unit_test(test_line_stands_where_the_axes_say),
        cmocka_unit_test(test_few_and_odd_points),
        cmocka_unit_test(test_unwritable),
    };
    return cmocka_run_group_tests_name("report", tests, make_folder, remove_folder);
}
