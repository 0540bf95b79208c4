/* signal_draw.h - built-in signals, for networks whose images are one row or one column.
 *
 * What some sensors at one machine might measure: each channel is three harmonics of the machine's
 * turning, whose speed, load and mean level drift slowly; the channels turn together, each with a
 * mixture and phases that are always its own. So what one channel does can be told from the others,
 * and an anomaly in one of them is what no network that learnt from the rest expects. */
#ifndef CAEC_SIGNAL_DRAW_H
#define CAEC_SIGNAL_DRAW_H

#include <stdint.h>

enum { MIN_SIGNAL = 16 };

/* How many samples a signal of images of this size has; 0: they are pictures, for neither side is 1
   and the other at least MIN_SIGNAL. */
static inline int signal_length(int height, int width)
{
    int length = height == 1 ? width : width == 1 ? height : 0;
    return length < MIN_SIGNAL ? 0 : length;
}

/* Draws signal `index` of `seed` into out[length * channels], sample by sample. The same arguments
   give the same bytes on every machine and in any thread. */
void signal_draw(uint64_t seed, uint64_t index, int length, int channels, uint8_t *out);

/* Adds one anomaly to signal `index` in one channel. Which kind it is, index % 4 says:
   0: a spike, 1: a flat stretch, 2: a jump of the level, which stays, 3: a burst of a higher
   frequency. */
void signal_add_anomaly(uint64_t seed, uint64_t index, int length, int channels, uint8_t *signal);

#endif
