/* report_curve.h - a signal drawn as curves over time. */
#ifndef CAEC_REPORT_CURVE_H
#define CAEC_REPORT_CURVE_H

#include <stddef.h>
#include <stdint.h>

enum { CURVE_HEIGHT = 96 };

/* Pixels of the picture of a signal of `length` samples: one a sample, of long ones the same
   number; and its bytes, of three channels. */
int curve_width(int length);
size_t curve_bytes(int length);

/* Draws the first three channels of signal[length * channels] into picture[curve_bytes(length)],
   time from left to right, 0 at the bottom; returns `picture`. */
const uint8_t *curve_draw(const uint8_t *signal, int length, int channels, uint8_t *picture);

#endif
