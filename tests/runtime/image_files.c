#define _XOPEN_SOURCE 700
#include "image_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

char folder[256], path[300];

int make_folder(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/test_image.XXXXXX", top && *top ? top : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/picture", folder);
    return 0;
}

int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void save(const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

int read_bytes(const uint8_t *bytes, size_t n, Image *image, Error *error)
{
    save(bytes, n);
    return image_read(image, path, error) == 0 ? 0 : error->exit_code;
}

void assert_reads_as(const uint8_t *bytes, size_t n, int width, int height, const uint8_t *pixels,
                     int tolerance)
{
    Image image;
    Error error;
    int w, h, bits;
    assert_int_equal(read_bytes(bytes, n, &image, &error), 0);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_int_equal(image.channels, 3);
    for (int i = 0; i < width * height * 3; i++)
        assert_in_range(image.pixels[i] + 10 - pixels[i], 10 - tolerance, 10 + tolerance);
    image_free(&image);
    assert_int_equal(image_probe(path, &w, &h, &bits, &error), 0);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
}

size_t add(uint8_t *out, size_t at, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(out + at, bytes, n);
    return at + n;
}

size_t add_chunk(uint8_t *out, size_t at, const char *name, const uint8_t *bytes, size_t n)
{
    uint8_t numbers[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
    size_t start = at + 4;
    at = add(out, at, numbers, 4);
    at = add(out, at, name, 4);
    at = add(out, at, bytes, n);
    uLong sum = crc32(0, out + start, (uInt)(at - start));
    uint8_t check[4] = { (uint8_t)(sum >> 24), (uint8_t)(sum >> 16), (uint8_t)(sum >> 8),
                         (uint8_t)sum };
    return add(out, at, check, 4);
}

size_t make_png(uint8_t *out, int width, int height, int bits, int type, const uint8_t *before,
                size_t n, const uint8_t *raw, size_t bytes)
{
    uint8_t head[13] = { 0,
                         0,
                         (uint8_t)(width >> 8),
                         (uint8_t)width,
                         0,
                         0,
                         (uint8_t)(height >> 8),
                         (uint8_t)height,
                         (uint8_t)bits,
                         (uint8_t)type };
    uLong packed = compressBound(bytes);
    uint8_t *pixels = malloc(packed);
    assert_non_null(pixels);
    assert_int_equal(compress2(pixels, &packed, raw, bytes, 1), Z_OK);
    size_t at = add(out, 0, "\x89PNG\r\n\x1A\n", 8);
    at = add_chunk(out, at, "IHDR", head, sizeof head);
    at = add(out, at, before, n);
    at = add_chunk(out, at, "IDAT", pixels, packed);
    free(pixels);
    return add_chunk(out, at, "IEND", NULL, 0);
}
