/* Pictures that are refused: cut, damaged, of other formats, or too much of something. */
#define _XOPEN_SOURCE 700
#include "image_files.h"
#include "image_samples.h"
#include "images/image_private.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* No beginning of a file that is not all of it may pass for the picture. */
static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *bytes;
        size_t size;
    } samples[] = {
        { jpeg_colour, sizeof jpeg_colour },
        { jpeg_progressive, sizeof jpeg_progressive },
        { png_rgba16, sizeof png_rgba16 },
        { png_interlaced, sizeof png_interlaced },
    };
    Image image;
    Error error;
    for (size_t s = 0; s < sizeof samples / sizeof *samples; s++)
        for (size_t n = 0; n < samples[s].size; n++) {
            assert_int_equal(read_bytes(samples[s].bytes, n, &image, &error), EXIT_INPUT);
            assert_null(image.pixels);
            assert_non_null(strstr(error.text, path));
        }
    assert_non_null(strstr(error.text, "truncated PNG"));
    read_bytes(jpeg_colour, sizeof jpeg_colour / 2 + 200, &image, &error);
    assert_non_null(strstr(error.text, "truncated JPEG"));
}

/* Holes take no room on the disk, but reading them would take hours. */
static void test_huge_file(void **state)
{
    (void)state;
    static const uint8_t head[] = { 0xFF, 0xD8, 0xFF };
    Image image;
    Error error;
    int width, height, bits;
    read_bytes(head, sizeof head, &image, &error);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(head, 1, sizeof head, f), sizeof head);
    fflush(f);
    if (ftruncate(fileno(f), (off_t)1 << 40) != 0) {
        fclose(f);
        remove(path);
        skip(); /* a disk without such files */
    }
    fclose(f);
    assert_int_equal(image_probe(path, &width, &height, &bits, &error), -1);
    assert_non_null(strstr(error.text, "a file of more than 1 GiB"));
    assert_int_equal(image_read(&image, path, &error), -1);
    assert_non_null(strstr(error.text, "a file of more than 1 GiB"));
    remove(path);
}

static void test_damage(void **state)
{
    (void)state;
    uint8_t file[1000];
    Image image;
    Error error;
    /* any byte of the PNG's compressed pixels and their checksum (the last 12 bytes are the chunk
       IEND) */
    for (size_t i = 41; i < sizeof png_rgba16 - 12; i++) {
        memcpy(file, png_rgba16, sizeof png_rgba16);
        file[i] ^= 0x10;
        assert_int_equal(read_bytes(file, sizeof png_rgba16, &image, &error), EXIT_INPUT);
        assert_non_null(strstr(error.text, "damaged PNG"));
    }
    /* bytes between the last block and the end marker are none */
    size_t n = sizeof jpeg_colour;
    memcpy(file, jpeg_colour, n);
    memcpy(file + n - 2, "\x12\x34\x56\xFF\xD9", 5);
    assert_reads_as(file, n + 3, 12, 10, jpeg_colour_pixels, 2);
    /* bytes after it neither */
    memcpy(file, jpeg_colour, n);
    memset(file + n, 'x', 50);
    assert_reads_as(file, n + 50, 12, 10, jpeg_colour_pixels, 2);
}

static void assert_refused(const void *bytes, size_t n, const char *word)
{
    Image image;
    Error error;
    int w, h, bits;
    assert_int_equal(read_bytes(bytes, n, &image, &error), EXIT_INPUT);
    assert_non_null(strstr(error.text, word));
    assert_null(strchr(error.text, '\n'));
    assert_int_equal(image_probe(path, &w, &h, &bits, &error), -1);
    assert_non_null(strstr(error.text, word));
}

static void test_other_formats_are_named(void **state)
{
    (void)state;
    assert_refused("", 0, "empty");
    assert_refused("RIFF\x10\0\0\0WEBPVP8 ", 16, "WebP");
    assert_refused("GIF89a\1\0\1\0", 10, "GIF");
    assert_refused("BM\0\0\0\0\0\0", 8, "BMP");
    assert_refused("II*\0\10\0\0\0", 8, "TIFF");
    assert_refused("MM\0*\0\0\0\10", 8, "TIFF");
    assert_refused("P6\n2 2\n255\n", 11, "PPM");
    assert_refused("\0\0\0\x1C"
                   "ftypavif",
                   12, "AVIF");
    assert_refused("\0\0\0\x1C"
                   "ftypheic",
                   12, "HEIF");
    assert_refused("not a picture", 13, "neither JPEG nor PNG");
}

static void test_dimensions(void **state)
{
    (void)state;
    uint8_t file[sizeof png_rgba16];
    memcpy(file, png_rgba16, sizeof file);
    memcpy(file + 16, "\0\1\0\0\0\0\0\1", 8);
    assert_refused(file, sizeof file, "65536 x 1 pixels");
    memcpy(file + 16, "\0\0\xF0\0\0\0\xF0\0", 8);
    assert_refused(file, sizeof file, "61440 x 61440 pixels");
    memcpy(file + 16, "\0\0\0\0\0\0\0\1", 8);
    assert_refused(file, sizeof file, "0 x 1 pixels");
    uint8_t jpeg[sizeof jpeg_colour];
    memcpy(jpeg, jpeg_colour, sizeof jpeg);
    for (size_t i = 0; i + 9 < sizeof jpeg; i++)
        if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0)
            memset(jpeg + i + 5, 0xFF, 4);
    assert_refused(jpeg, sizeof jpeg, "65500");
}

/* A grey progressive JPEG of SIDE x SIDE: one scan of zero DC coefficients, one bit a block, and
   `scans` that say in some bytes that all other coefficients are zero: runs of 16384 to 32767 empty
   blocks, a bit and 14 more each. Returns the length. */
static size_t make_scans(uint8_t *out, int side, int scans)
{
    static const uint8_t dc_scan[10] = { 0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 0, 0 },
                         ac_scan[10] = { 0xFF, 0xDA, 0, 8, 1, 1, 0x00, 1, 63, 0 };
    uint8_t frame[13] = {
        0xFF,          0xC2, 0, 11,   8, (uint8_t)(side >> 8), (uint8_t)side, (uint8_t)(side >> 8),
        (uint8_t)side, 1,    1, 0x11, 0
    };
    uint8_t steps[69] = { 0xFF, 0xDB, 0, 67 }, dc_codes[22] = { 0xFF, 0xC4, 0, 20, 0x00, 1 },
            ac_codes[22] = { 0xFF, 0xC4, 0, 20, 0x10, 1 };
    memset(steps + 5, 1, 64);
    ac_codes[21] = 0xE0;
    size_t blocks = (size_t)((side + 7) / 8) * (size_t)((side + 7) / 8),
           n = add(out, 0, "\xFF\xD8", 2);
    n = add(out, n, steps, sizeof steps);
    n = add(out, n, frame, sizeof frame);
    n = add(out, n, dc_codes, sizeof dc_codes);
    n = add(out, n, ac_codes, sizeof ac_codes);
    n = add(out, n, dc_scan, sizeof dc_scan);
    memset(out + n, 0, (blocks + 7) / 8);
    n += (blocks + 7) / 8;
    for (int i = 0; i < scans; i++) {
        n = add(out, n, ac_scan, sizeof ac_scan);
        memset(out + n, 0, (blocks / 16384 + 1) * 2);
        n += (blocks / 16384 + 1) * 2;
    }
    return add(out, n, "\xFF\xD9", 2);
}

/* A few scans are read; hundreds cost as much time as pixels times scans. */
static void test_endless_scans(void **state)
{
    (void)state;
    enum { ROOM = 1 << 20 };
    uint8_t *file = malloc(ROOM);
    Image image;
    Error error;
    assert_non_null(file);
    assert_int_equal(read_bytes(file, make_scans(file, 64, 400), &image, &error), 0);
    assert_int_equal(image.pixels[0], 128);
    image_free(&image);
    assert_int_equal(read_bytes(file, make_scans(file, 64, 600), &image, &error), EXIT_INPUT);
    assert_non_null(strstr(error.text, "501 scans and more over 4096 pixels"));
    assert_int_equal(read_bytes(file, make_scans(file, 3300, 450), &image, &error), EXIT_INPUT);
    assert_non_null(strstr(error.text, "scans and more over 10890000 pixels"));
    free(file);
}

/* 900 texts of 8 kB that would be 7.9 MB each are not unpacked. */
static void test_compressed_texts(void **state)
{
    (void)state;
    enum { TEXTS = 900, LONG = 7900000, HEAD = 33 }; /* HEAD: signature and IHDR */
    uLong packed = compressBound(LONG);
    uint8_t *text = calloc(1, LONG), *chunk = malloc(packed + 3),
            *file = malloc(TEXTS * 10000 + sizeof png_grey);
    Image image;
    Error error;
    assert_non_null(text);
    assert_non_null(chunk);
    assert_non_null(file);
    memcpy(chunk, "k\0\0", 3);
    assert_int_equal(compress2(chunk + 3, &packed, text, LONG, 9), Z_OK);
    assert_true(packed < 9000);
    size_t n = add(file, 0, png_grey, HEAD);
    for (int i = 0; i < TEXTS; i++)
        n = add_chunk(file, n, "zTXt", chunk, packed + 3);
    n = add(file, n, png_grey + HEAD, sizeof png_grey - HEAD);
    free(text);
    free(chunk);
    double before = memory_peak_mib();
    assert_int_equal(read_bytes(file, n, &image, &error), 0);
    assert_true(memory_peak_mib() < before + 100);
    image_free(&image);
    free(file);
}

static void test_memory(void **state)
{
    (void)state;
    Error error;
    assert_int_equal(image_check_memory("a.png", 1 << 20, &error), 0);
    assert_int_equal(image_check_memory("a.png", SIZE_MAX / 2, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_non_null(strstr(error.text, "a.png: decoding it takes"));
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    Image image;
    Error error;
    assert_int_equal(image_read(&image, folder, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, folder));
    unlink(path);
    assert_int_equal(image_read(&image, path, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_huge_file),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_other_formats_are_named),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_endless_scans),
        cmocka_unit_test(test_compressed_texts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_files_that_cannot_be_read),
    };
    return cmocka_run_group_tests_name("image_damage", tests, make_folder, remove_folder);
}
