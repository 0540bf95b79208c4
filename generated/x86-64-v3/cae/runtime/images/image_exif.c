#include "image_private.h"

/* A TIFF block of either byte order. Reads past its end give 0, which no caller takes for
   anything. */
typedef struct Tiff {
    const uint8_t *bytes;
    size_t size;
    int big;
} Tiff;

static uint32_t read_uint(const Tiff *tiff, size_t at, size_t length)
{
    if (at > tiff->size || tiff->size - at < length)
        return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | tiff->bytes[at + (tiff->big ? i : length - 1 - i)];
    return value;
}

/* An entry of a directory has 12 bytes: tag (2), type (2), count (4), value (4). Only the first
   directory speaks of the main image. */
int image_exif_orientation(const uint8_t *bytes, size_t size)
{
    enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };
    if (size < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return 1;
    Tiff tiff = { bytes, size, bytes[0] == 'M' };
    if (read_uint(&tiff, 2, 2) != 42)
        return 1;
    size_t directory = read_uint(&tiff, 4, 4);
    size_t entries = read_uint(&tiff, directory, 2);
    for (size_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + i * ENTRY_BYTES;
        if (read_uint(&tiff, entry, 2) != TAG_ORIENTATION)
            continue;
        uint32_t type = read_uint(&tiff, entry + 2, 2);
        uint32_t value = 0;
        if (type == TYPE_SHORT || type == TYPE_LONG)
            value = read_uint(&tiff, entry + 8, type == TYPE_SHORT ? 2 : 4);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
