/* image.h - reading, fitting and writing pictures.
 *
 * An Image is uint8_t, rows of interleaved channels (1 grey or 3 RGB), no padding between rows. */
#ifndef CAEC_IMAGE_H
#define CAEC_IMAGE_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Image {
    int width, height, channels;
    uint8_t *pixels; /* malloc'ed, width * height * channels; the holder calls image_free */
    int bits;        /* of a channel in the file: 8, or 16 (then rounded), or fewer */
} Image;

/* Reads a JPEG (baseline, progressive, grey, YCbCr, RGB, CMYK, YCCK) or PNG (any kind) file as a
   viewer shows it, as 8-bit RGB: the content, not the name, tells the format; EXIF orientation 1-8
   is honoured (another value counts as 1); alpha is laid over white, rounded to nearest; a channel
   of 16 bits is rounded to 8, (v * 255 + 32767) / 65535, alpha too and before it is used (see
   image_warn_deep); palette and grey of fewer bits are expanded, which is exact; gamma,
   chromaticities and colour profiles (gAMA, cHRM, sRGB, iCCP, ICC in JPEG) are left alone: a stored
   value is a value. A CMYK file's inks are taken as inverted, as Adobe's are, and mixed without a
   profile. JPEG of 12 bits is refused. Refused, with the reason: another format (named where it is
   known: WebP, GIF, BMP, ...), an empty, truncated or damaged file, dimensions past IMAGE_MAX_SIDE
   or IMAGE_MAX_PIXELS or more memory than is free (checked before anything is decoded), JPEG scans
   without end. Truncated means that the end marker (EOI, IEND) is not reached; damaged, that
   libjpeg or libpng had to make something up: stray bytes between JPEG segments alone are no
   damage. The message names the file; EXIT_FILE where it cannot be read at all, EXIT_INPUT where
   its content is refused. */
enum { IMAGE_MAX_SIDE = 65500, IMAGE_MAX_PIXELS = 1 << 28 };
int image_read(Image *image, const char *path, Error *error);

/* The two halves of image_read: all bytes of the file, also where it is a pipe, malloc'ed (NULL:
   the error is filled in); and the picture in them. `path` is for messages there. */
uint8_t *image_load(const char *path, size_t *size, Error *error);
int image_decode(Image *image, const char *path, const uint8_t *bytes, size_t size, Error *error);

/* Whether image_read would try to decode the file, by its first bytes and its header alone: format
   and dimensions (as stored, before EXIF turns them) are right. Fails with image_read's messages.
   *bits: as Image.bits. */
int image_probe(const char *path, int *width, int *height, int *bits, Error *error);

/* Where `bits` says that the picture `path` was rounded: warns of that, once in the life of the
   process, whoever asks. */
void image_warn_deep(const char *path, int bits, void (*warn)(const char *text));

/* Refuses (EXIT_INPUT) a network whose images have another number of channels than picture files
   have: 1 or 3. */
int image_check_channels(const char *network, int channels, Error *error);

/* Scales to cover width x height, then crops to the centre: Pillow's BILINEAR (antialiased triangle
   filter) on the stored values, horizontal pass first, 8-bit between the passes, bit for bit. With
   W x H the target and w x h the picture, the scale is max(W/w, H/h), the resized picture is W x
   round(h * W / w) or round(w * H / h) x H (half up, no side below the target's), and the crop
   starts at floor((resized - target) / 2). Only the window that is kept is computed. A picture of
   the target's size is copied as it is. `channels` 3 (grey is repeated), or 1: ITU-R 601 luma as
   Pillow's convert("L"), before scaling. `out` has width * height * channels bytes. Fails where
   memory runs out, and on other channels, which nobody should ask for: see image_check_channels. */
int image_fit(const Image *image, int width, int height, int channels, uint8_t *out, Error *error);

/* Left and right exchanged; `from` and `to` do not overlap. */
void image_mirror(const uint8_t *from, int width, int height, int channels, uint8_t *to);

/* Writes an 8-bit PNG of 1 or 3 channels, whole or not at all (temporary file, fsync, rename).
   Refuses other channels (EXIT_INPUT). */
int image_write_png(const char *path, int width, int height, int channels, const uint8_t *pixels,
                    Error *error);

void image_free(Image *image);

#endif
