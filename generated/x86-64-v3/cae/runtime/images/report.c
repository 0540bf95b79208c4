#include "report.h"

#include "formats/printable.h"
#include "formats/whole_file.h"
#include "image.h"
#include "memory.h"
#include "report_curve.h"
#include "signal_draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sheets ---- */

/* The first `shown` of each pixel's channels. */
static void copy_row(const uint8_t *from, int width, int channels, int shown, uint8_t *to)
{
    for (int x = 0; x < width; x++, from += channels, to += shown)
        memcpy(to, from, (size_t)shown);
}

enum { GAP = 2 };

/* A sheet being drawn: cells of one size, white where nothing was put. */
typedef struct Sheet {
    int columns, height, width, channels; /* height, width, channels: of a cell's picture */
    int shown;                            /* channels of the sheet */
    size_t pitch;                         /* bytes of a row of the sheet */
    int sheet_width, sheet_height;
    uint8_t *pixels;
} Sheet;

static int sheet_open(Sheet *sheet, const char *path, int rows, Error *error)
{
    int64_t width = (int64_t)sheet->columns * (sheet->width + GAP) - GAP,
            height = (int64_t)rows * (sheet->height + GAP) - GAP;
    sheet->shown = sheet->channels >= 3 ? 3 : 1;
    sheet->pitch = (size_t)width * (size_t)sheet->shown;
    if (width <= INT32_MAX && height <= INT32_MAX)
        sheet->pixels = malloc(sheet->pitch * (size_t)height);
    if (!sheet->pixels)
        return error_set(error, EXIT_FILE,
                         "%s: not enough memory for a sheet of %d x %d pictures; ask for fewer",
                         path, sheet->columns, rows);
    sheet->sheet_width = (int)width;
    sheet->sheet_height = (int)height;
    memset(sheet->pixels, 255, sheet->pitch * (size_t)height);
    return 0;
}

/* picture: NULL leaves the cell white. */
static void sheet_put(const Sheet *sheet, int column, int row, const uint8_t *picture)
{
    size_t row_bytes = (size_t)sheet->width * (size_t)sheet->channels;
    uint8_t *to = sheet->pixels + (size_t)row * (size_t)(sheet->height + GAP) * sheet->pitch
                  + (size_t)column * (size_t)(sheet->width + GAP) * (size_t)sheet->shown;
    for (int y = 0; picture && y < sheet->height; y++)
        copy_row(picture + (size_t)y * row_bytes, sheet->width, sheet->channels, sheet->shown,
                 to + (size_t)y * sheet->pitch);
}

/* Writes the file and gives the memory back. */
static int sheet_close(Sheet *sheet, const char *path, Error *error)
{
    int result = image_write_png(path, sheet->sheet_width, sheet->sheet_height, sheet->shown,
                                 sheet->pixels, error);
    free(sheet->pixels);
    return result;
}

static int sheet_of_pictures(const char *path, const uint8_t *const *cells, int columns, int rows,
                             int height, int width, int channels, Error *error)
{
    Sheet sheet = { .columns = columns, .height = height, .width = width, .channels = channels };
    if (sheet_open(&sheet, path, rows, error) != 0)
        return -1;
    for (int i = 0; i < columns * rows; i++)
        sheet_put(&sheet, i % columns, i / columns, cells[i]);
    return sheet_close(&sheet, path, error);
}

/* The curves of all signals, one after the other, on a sheet that is turned. */
static int sheet_of_signals(const char *path, const uint8_t *const *cells, int columns, int rows,
                            int length, int channels, Error *error)
{
    Sheet sheet = {
        .columns = rows, .height = CURVE_HEIGHT, .width = curve_width(length), .channels = 3
    };
    uint8_t *curve = memory_block(curve_bytes(length), error);
    if (!curve)
        return -1;
    int result = sheet_open(&sheet, path, columns, error);
    for (int i = 0; result == 0 && i < columns * rows; i++)
        if (cells[i])
            sheet_put(&sheet, i / columns, i % columns,
                      curve_draw(cells[i], length, channels, curve));
    free(curve);
    return result == 0 ? sheet_close(&sheet, path, error) : -1;
}

int report_sheet(const char *path, const uint8_t *const *cells, int columns, int rows, int height,
                 int width, int channels, Error *error)
{
    int length = signal_length(height, width);
    return length ? sheet_of_signals(path, cells, columns, rows, length, channels, error)
                  : sheet_of_pictures(path, cells, columns, rows, height, width, channels, error);
}

/* ---- The loss curve ---- */

enum { CHART_WIDTH = 760, CHART_HEIGHT = 470, LEFT = 80, RIGHT = 730, TOP = 94, BOTTOM = 410 };

typedef struct Axis {
    double low, high, step; /* low is a multiple of step */
    int from, to;           /* pixels of low and high */
} Axis;

typedef struct Chart {
    FILE *out;
    Axis epochs, losses;
    const ReportPoint *points;
    size_t count;
} Chart;

/* The least of 1, 2, 5, 10, 20, ... (or tenths of them) that cuts the range into at most `most`
   pieces. */
static double nice_step(double range, int most)
{
    static const double factors[] = { 1, 2, 5, 10 };
    double power = pow(10.0, floor(log10(range / most)));
    int i = 0;
    while (i < 3 && power * factors[i] * most < range * (1 - 1e-9))
        i++;
    return power * factors[i];
}

/* From a multiple of the step to another, around the values. */
static Axis make_axis(double low, double high, int most, int from, int to)
{
    if (!(high > low))
        high = low + (low != 0 ? fabs(low) : 1);
    Axis axis = { 0, 0, nice_step(high - low, most), from, to };
    axis.low = floor(low / axis.step + 1e-9) * axis.step;
    axis.high = ceil(high / axis.step - 1e-9) * axis.step;
    return axis;
}

/* From 0 to the last epoch, whole numbers. */
static Axis epoch_axis(const ReportPoint *points, size_t count)
{
    double last = count && points[count - 1].epoch > 1 ? points[count - 1].epoch : 1;
    double step = nice_step(last, 12);
    return (Axis){ 0, last, step > 1 ? step : 1, LEFT, RIGHT };
}

static double at(const Axis *axis, double value)
{
    return axis->from + (value - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

static double value_of(const ReportPoint *point, int val)
{
    return val ? point->val_loss : point->loss;
}

/* The index of the lowest finite value; count where there is none. */
static size_t best_of(const ReportPoint *points, size_t count, int val)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (isfinite(value_of(&points[i], val))
            && (best == count || value_of(&points[i], val) < value_of(&points[best], val)))
            best = i;
    return best;
}

/* Losses start high and then differ by little: the axis goes from 0 where the lowest is less than
   half of the highest, else it starts near the lowest. */
static Axis loss_axis(const ReportPoint *points, size_t count)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        for (int val = 0; val < 2; val++) {
            double value = value_of(&points[i], val);
            if (!isfinite(value))
                continue;
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    if (low > high)
        low = 0, high = 1;
    if (low > 0 && low < high / 2)
        low = 0;
    return make_axis(low, high, 6, BOTTOM, TOP);
}

static void write_axes(const Chart *chart)
{
    FILE *out = chart->out;
    const Axis *x = &chart->epochs, *y = &chart->losses;
    fprintf(out, "<g stroke=\"#e2e2e2\" stroke-width=\"1\">\n");
    for (int i = 0; y->low + i * y->step <= y->high + y->step * 1e-6; i++)
        fprintf(out, "<path d=\"M%d %.1fH%d\"/>\n", LEFT, at(y, y->low + i * y->step), RIGHT);
    for (int i = 0; x->low + i * x->step <= x->high + x->step * 1e-6; i++)
        fprintf(out, "<path d=\"M%.1f %dV%d\"/>\n", at(x, x->low + i * x->step), TOP, BOTTOM);
    fprintf(out, "</g>\n<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#444\"/>\n", LEFT, TOP,
            BOTTOM, RIGHT);
    fprintf(out, "<g text-anchor=\"end\">\n");
    for (int i = 0; y->low + i * y->step <= y->high + y->step * 1e-6; i++) {
        double value = y->low + i * y->step;
        fprintf(out, "<text x=\"%d\" y=\"%.1f\">%.6g</text>\n", LEFT - 8, at(y, value) + 4,
                fabs(value) < y->step / 2 ? 0 : value);
    }
    fprintf(out, "</g>\n<g text-anchor=\"middle\">\n");
    for (int i = 0; x->low + i * x->step <= x->high + x->step * 1e-6; i++)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\">%.0f</text>\n", at(x, x->low + i * x->step),
                BOTTOM + 20, x->low + i * x->step);
    fprintf(out, "<text x=\"%d\" y=\"%d\">epoch</text>\n</g>\n", (LEFT + RIGHT) / 2, BOTTOM + 42);
}

/* A line over the finite values (it breaks where there is none), and dots while they are few. */
static void write_curve(const Chart *chart, int val, const char *colour)
{
    enum { MOST_DOTS = 60 };
    int pen_down = 0;
    fprintf(chart->out,
            "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"",
            colour);
    for (size_t i = 0; i < chart->count; i++) {
        double value = value_of(&chart->points[i], val);
        if (isfinite(value))
            fprintf(chart->out, "%s%.1f %.1f", pen_down ? "L" : "M",
                    at(&chart->epochs, chart->points[i].epoch), at(&chart->losses, value));
        pen_down = isfinite(value);
    }
    fprintf(chart->out, "\"/>\n<g fill=\"%s\">\n", colour);
    for (size_t i = 0; i < chart->count && chart->count <= MOST_DOTS; i++)
        if (isfinite(value_of(&chart->points[i], val)))
            fprintf(chart->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n",
                    at(&chart->epochs, chart->points[i].epoch),
                    at(&chart->losses, value_of(&chart->points[i], val)));
    fprintf(chart->out, "</g>\n");
}

/* The colour, the last value, and the best with its epoch. */
static void write_legend(const Chart *chart, int val, const char *colour)
{
    size_t best = best_of(chart->points, chart->count, val);
    if (best == chart->count)
        return;
    const ReportPoint *last = &chart->points[chart->count - 1];
    int x = LEFT, y = TOP - 37 + 20 * val;
    fprintf(
        chart->out,
        "<path d=\"M%d %dh20\" stroke=\"%s\" stroke-width=\"3\"/>\n<text x=\"%d\" y=\"%d\">%s: ", x,
        y - 4, colour, x + 26, y, val ? "val_loss" : "loss");
    if (isfinite(value_of(last, val)))
        fprintf(chart->out, "last %.4g, ", value_of(last, val));
    fprintf(chart->out, "best %.4g in epoch %d</text>\n", value_of(&chart->points[best], val),
            chart->points[best].epoch);
}

static void write_chart(const Chart *chart, const char *title)
{
    FILE *out = chart->out;
    static const char *const colours[2] = { "#1f5fa8", "#d9661f" };
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
            "%d\" font-family=\"sans-serif\" font-size=\"13\" "
            "fill=\"#222\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            CHART_WIDTH, CHART_HEIGHT, CHART_WIDTH, CHART_HEIGHT);
    fprintf(out, "<text x=\"%d\" y=\"34\" font-size=\"17\">", LEFT);
    printable_xml(out, title);
    fprintf(out, "</text>\n");
    write_axes(chart);
    for (int val = 0; val < 2; val++)
        if (best_of(chart->points, chart->count, val) < chart->count)
            write_curve(chart, val, colours[val]);
    for (int val = 0; val < 2; val++)
        write_legend(chart, val, colours[val]);
    fprintf(out, "</svg>\n");
}

int report_loss_svg(const char *path, const char *title, const ReportPoint *points, size_t count,
                    Error *error)
{
    WholeFile file;
    char message[sizeof error->text];
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    Chart chart = { file.stream, epoch_axis(points, count), loss_axis(points, count), points,
                    count };
    write_chart(&chart, title);
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}
