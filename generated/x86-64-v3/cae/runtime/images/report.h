/* report.h - pictures of results: sheets of images, and the loss curve. */
#ifndef CAEC_REPORT_H
#define CAEC_REPORT_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

/* A sheet of `columns` x `rows` pictures of one size, row by row, with a 2-pixel white gap between
   them, as PNG. cells[i] may be NULL (white). Of pictures whose channels are neither 1 nor 3 the
   first three are shown as colours, the first alone of two.
   Signals (signal_draw.h) are drawn as curves, a colour a channel, and the sheet is turned: what
   would be a column is a row, so that the long curves stand below each other. */
int report_sheet(const char *path, const uint8_t *const *cells, int columns, int rows, int height,
                 int width, int channels, Error *error);

typedef struct ReportPoint {
    int epoch;
    double loss, val_loss; /* val_loss NaN: none */
} ReportPoint;

/* The training history as an SVG line chart: loss and val_loss over epochs, axes with round
   numbers, a legend, the last and best values. */
int report_loss_svg(const char *path, const char *title, const ReportPoint *points, size_t count,
                    Error *error);

#endif
