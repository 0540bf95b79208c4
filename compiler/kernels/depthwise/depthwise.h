/* depthwise.h - shared by the kernels that compute depthwise convolutions. */
#ifndef CAEC_DEPTHWISE_H
#define CAEC_DEPTHWISE_H

#include "../conv.h"

/* Pixels of a tile, `pool` of them or a multiple, for rows of so many. */
int depthwise_tile(int pixels, int pool, const Settings *settings);

/* Whether the taps of a row are a loop in the text, not a line each: they are many, or the text is
   to be short. */
bool depthwise_loops(const ConvShape *s, const Settings *settings);

/* The kernel as it is, followed by what a vector of a last tap's channels reads beyond them. */
Packing depthwise_packing(const Node *parameter, const Settings *settings);

/* Pixels of a row of `width` outputs' windows, from the first to the last. */
int depthwise_reach(const ConvShape *s, int width);

#endif
