/* image_private.h - what the files of the image room share. */
#ifndef CAEC_IMAGE_PRIVATE_H
#define CAEC_IMAGE_PRIVATE_H

#include "image.h"

/* Refuses dimensions of nothing or past the limits of image.h. */
int image_check_size(const char *path, int64_t width, int64_t height, Error *error);

/* Refuses a picture whose decoding takes more bytes than programs may still use. */
int image_check_memory(const char *path, size_t bytes, Error *error);

/* Decode a file held in memory to RGB as it is stored; `path` is for messages. *orientation is
   EXIF's 1-8, 1 where the file has none. On failure image->pixels is NULL. */
int image_decode_jpeg(Image *image, int *orientation, const char *path, const uint8_t *bytes,
                      size_t size, Error *error);
int image_decode_png(Image *image, int *orientation, const char *path, const uint8_t *bytes,
                     size_t size, Error *error);

/* The orientation in an EXIF block (from its TIFF header "II" or "MM" on): 1-8, or 1 where there is
   none or it makes no sense. */
int image_exif_orientation(const uint8_t *tiff, size_t size);

#endif
