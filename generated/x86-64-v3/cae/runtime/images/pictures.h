/* pictures.h - built-in pictures with the statistics of natural images, so that a first run needs
 * no data.
 *
 * Dead leaves (Matheron 1968; Lee, Mumford, Huang 2001, "Occlusion Models for Natural Images"):
 * overlapping shapes whose sizes follow a power law (density r^-3), here with colour, shading,
 * texture and soft shadows. The power of the luma along rows falls like 1/f^alpha with alpha about
 * 2 (photographs: 1.7 to 2), and a channel's values spread by about 0.25 around 0.44 of full scale.
 * 224 x 224 x 3 take some 5 ms. */
#ifndef CAEC_PICTURES_H
#define CAEC_PICTURES_H

#include <stdint.h>

/* Of images of one row or one column: signals, see signal_draw.h. */

/* Draws picture `index` of `seed` into out[height * width * channels] (channels 3: red, green,
   blue; 1: the same scene in luma; any other number: red, green, blue, red, ... by turns). The same
   arguments give the same bytes on every machine and in any thread. */
void picture_draw(uint64_t seed, uint64_t index, int height, int width, int channels, uint8_t *out);

#endif
