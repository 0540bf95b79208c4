/* Reading, scaling and writing pictures. */
#define _XOPEN_SOURCE 700
#include "images/image.h"
#include "images/image_private.h"
#include "memory.h"

#include "image_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char folder[256], path[300];

static int make_folder(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/test_image.XXXXXX", top && *top ? top : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/picture", folder);
    return 0;
}

static int remove_folder(void **state)
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

/* Reads bytes as a file: its exit code, 0 for success. */
static int read_bytes(const uint8_t *bytes, size_t n, Image *image, Error *error)
{
    save(bytes, n);
    return image_read(image, path, error) == 0 ? 0 : error->exit_code;
}

static void assert_reads_as(const uint8_t *bytes, size_t n, int width, int height,
                            const uint8_t *pixels, int tolerance)
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

#define READS_AS(sample, width, height, tolerance) \
    assert_reads_as(sample, sizeof sample, width, height, sample##_pixels, tolerance)

/* Two levels of room: other versions of libjpeg round otherwise. */
static void test_jpeg_kinds(void **state)
{
    (void)state;
    READS_AS(jpeg_colour, 12, 10, 2);
    READS_AS(jpeg_progressive, 12, 10, 2);
    READS_AS(jpeg_grey, 12, 10, 2);
    READS_AS(jpeg_cmyk, 12, 10, 2);
}

static void test_png_kinds(void **state)
{
    (void)state;
    READS_AS(png_rgba16, 4, 3, 0);
    READS_AS(png_interlaced, 6, 9, 0);
    READS_AS(png_palette, 5, 2, 0);
    READS_AS(png_grey, 5, 2, 0);
    READS_AS(png_grey_alpha, 3, 2, 0);
}

/* The blocks' JPEG with an EXIF segment put in after its first two bytes. Returns the length. */
static size_t with_exif(uint8_t *out, const uint8_t *exif, size_t n)
{
    memcpy(out, jpeg_blocks, 2);
    uint8_t head[10] = { 0xFF, 0xE1, (uint8_t)((n + 8) >> 8), (uint8_t)(n + 8), 'E', 'x', 'i', 'f',
                         0,    0 };
    memcpy(out + 2, head, sizeof head);
    memcpy(out + 12, exif, n);
    memcpy(out + 12 + n, jpeg_blocks + 2, sizeof jpeg_blocks - 2);
    return sizeof jpeg_blocks + 10 + n;
}

/* The blocks' colours by one letter each, row by row; 0 where the file is refused. */
static const char *layout_of(const uint8_t *bytes, size_t n)
{
    static char text[16];
    Image image;
    Error error;
    char *to = text;
    if (read_bytes(bytes, n, &image, &error) != 0)
        return "refused";
    for (int y = 4; y < image.height; y += 8, *to++ = '/')
        for (int x = 4; x < image.width; x += 8) {
            const uint8_t *p = image.pixels + (y * image.width + x) * 3;
            *to++ = "KRGYB.?W"[(p[0] > 128) + 2 * (p[1] > 128) + 4 * (p[2] > 128)];
        }
    *to = 0;
    image_free(&image);
    return text;
}

/* Where EXIF 2.3, section 4.6.4, puts row 0 and column 0 of the stored picture RGB/YKW. */
static void test_exif_orientations(void **state)
{
    (void)state;
    static const char *const expected[11] = {
        "RGB/YKW/",  "RGB/YKW/",  "BGR/WKY/",  "WKY/BGR/", "YKW/RGB/", "RY/GK/BW/",
        "YR/KG/WB/", "WB/KG/YR/", "BW/GK/RY/", "RGB/YKW/", "RGB/YKW/",
    };
    static const uint8_t little[26] = { 'I', 'I',  42,   0, 8, 0, 0, 0, 1,
                                        0,   0x12, 0x01, 3, 0, 1, 0, 0, 0 };
    static const uint8_t big[26] = {
        'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1
    };
    uint8_t exif[26], file[2000];
    for (int o = 0; o <= 10; o++) {
        memcpy(exif, little, sizeof exif);
        exif[18] = (uint8_t)o;
        assert_string_equal(layout_of(file, with_exif(file, exif, sizeof exif)), expected[o]);
        memcpy(exif, big, sizeof exif);
        exif[19] = (uint8_t)o;
        assert_string_equal(layout_of(file, with_exif(file, exif, sizeof exif)), expected[o]);
    }
}

/* Blocks that point outside themselves, or are cut anywhere, count as orientation 1, and nothing is
   read past their end. */
static void test_exif_nonsense(void **state)
{
    (void)state;
    static const uint8_t good[26] = { 'I',  'I',  42, 0, 8, 0, 0, 0, 1, 0,
                                      0x12, 0x01, 3,  0, 1, 0, 0, 0, 6 };
    uint8_t exif[26], file[2000];
    for (size_t n = 0; n < 20; n++)
        assert_string_equal(layout_of(file, with_exif(file, good, n)), "RGB/YKW/");
    assert_string_equal(layout_of(file, with_exif(file, good, 20)), "YR/KG/WB/");
    for (int i = 4; i < 8; i++) {
        memcpy(exif, good, sizeof exif);
        exif[i] = 0xFF;
        assert_string_equal(layout_of(file, with_exif(file, exif, sizeof exif)), "RGB/YKW/");
    }
    memcpy(exif, good, sizeof exif);
    exif[8] = exif[9] = 0xFF; /* 65535 entries, the first of another kind */
    exif[10] = 0x13;
    assert_string_equal(layout_of(file, with_exif(file, exif, sizeof exif)), "RGB/YKW/");
}

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

static size_t add(uint8_t *out, size_t at, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(out + at, bytes, n);
    return at + n;
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

static size_t add_chunk(uint8_t *out, size_t at, const char *name, const uint8_t *bytes, size_t n)
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

/* A PNG of `width` x `height` with the filterless rows in `raw`, which follows any chunks in
   `before`. Returns the length. */
static size_t make_png(uint8_t *out, int width, int height, int bits, int type,
                       const uint8_t *before, size_t n, const uint8_t *raw, size_t bytes)
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

/* Every value there is, in rows of 256. */
static void test_sixteen_bits_are_rounded(void **state)
{
    (void)state;
    enum { ROW = 1 + 2 * 256, ALL = 256 * ROW };
    uint8_t *raw = calloc(1, ALL), *file = malloc(2 * ALL);
    Image image;
    Error error;
    int w, h, bits;
    assert_non_null(raw);
    assert_non_null(file);
    for (int v = 0; v < 65536; v++) {
        raw[v / 256 * ROW + 1 + v % 256 * 2] = (uint8_t)(v >> 8);
        raw[v / 256 * ROW + 2 + v % 256 * 2] = (uint8_t)v;
    }
    assert_int_equal(
        read_bytes(file, make_png(file, 256, 256, 16, 0, NULL, 0, raw, ALL), &image, &error), 0);
    assert_int_equal(image.bits, 16);
    for (int v = 0; v < 65536; v++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(image.pixels[v * 3 + c], (v * 255 + 32767) / 65535);
    image_free(&image);
    assert_int_equal(image_probe(path, &w, &h, &bits, &error), 0);
    assert_int_equal(bits, 16);
    free(raw);
    free(file);
}

/* The one transparent value has 16 bits; its neighbours round to the same 8. */
static void test_transparent_sixteen_bits(void **state)
{
    (void)state;
    static const uint8_t value[] = { 0x12, 0x34 },
                         raw[] = { 0, 0x12, 0x33, 0x12, 0x34, 0x12, 0x35 };
    static const uint8_t wanted[] = { 18, 18, 18, 255, 255, 255, 18, 18, 18 };
    uint8_t chunk[40], file[400];
    size_t n = add_chunk(chunk, 0, "tRNS", value, sizeof value);
    assert_reads_as(file, make_png(file, 3, 1, 16, 0, chunk, n, raw, sizeof raw), 3, 1, wanted, 0);
}

/* Greys of fewer bits have exact places among 256. */
static void test_few_bits_are_exact(void **state)
{
    (void)state;
    for (int bits = 1; bits <= 4; bits *= 2) {
        int most = (1 << bits) - 1, width = most + 1;
        uint8_t raw[9] = { 0 }, wanted[16 * 3], file[400];
        for (int v = 0; v <= most; v++) {
            raw[1 + v * bits / 8] |= (uint8_t)(v << (8 - bits - v * bits % 8));
            for (int c = 0; c < 3; c++)
                wanted[v * 3 + c] = (uint8_t)(v * 255 / most);
        }
        assert_reads_as(
            file,
            make_png(file, width, 1, bits, 0, NULL, 0, raw, 1 + ((size_t)(width * bits) + 7) / 8),
            width, 1, wanted, 0);
    }
}

/* libjpeg of 8 bits does not read what cameras of science write with 12. */
static void test_twelve_bit_jpeg_is_refused(void **state)
{
    (void)state;
    uint8_t file[sizeof jpeg_colour];
    Image image;
    Error error;
    memcpy(file, jpeg_colour, sizeof file);
    for (size_t i = 0; i + 4 < sizeof file; i++)
        if (file[i] == 0xFF && file[i + 1] == 0xC0 && file[i + 4] == 8)
            file[i + 4] = 12;
    assert_int_equal(read_bytes(file, sizeof file, &image, &error), EXIT_INPUT);
    assert_non_null(strstr(error.text, "precision 12"));
}

static int warnings;

static void count_warning(const char *text)
{
    warnings += strstr(text, "deep.png: its 16 bits a channel are rounded to 8") != NULL;
}

static void test_rounding_is_said_once(void **state)
{
    (void)state;
    image_warn_deep("a.png", 8, count_warning);
    image_warn_deep("a.png", 1, count_warning);
    assert_int_equal(warnings, 0);
    image_warn_deep("deep.png", 16, count_warning);
    image_warn_deep("deep.png", 16, count_warning);
    assert_int_equal(warnings, 1);
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

static void assert_fits(const uint8_t *source, int w, int h, int width, int height, int channels,
                        const uint8_t *expected)
{
    Image image = { w, h, 3, (uint8_t *)source, 8 };
    uint8_t out[13 * 11 * 3];
    Error error;
    assert_int_equal(image_fit(&image, width, height, channels, out, &error), 0);
    assert_memory_equal(out, expected, (size_t)(width * height * channels));
}

static void test_mirror(void **state)
{
    (void)state;
    static const uint8_t rows[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
                         colours[] = { 4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9 };
    static const uint8_t grey[] = { 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9 };
    uint8_t out[12];
    image_mirror(rows, 2, 2, 3, out);
    assert_memory_equal(out, colours, sizeof out);
    image_mirror(rows, 4, 3, 1, out);
    assert_memory_equal(out, grey, sizeof out);
}

static void test_fit_as_pillow(void **state)
{
    (void)state;
    assert_fits(fit_source, 9, 7, 4, 4, 3, fit_4x4x3);
    assert_fits(fit_source, 9, 7, 5, 2, 1, fit_5x2x1);
    assert_fits(fit_source, 9, 7, 13, 11, 3, fit_13x11x3);
    assert_fits(fit_source, 9, 7, 9, 7, 1, fit_9x7x1);
    assert_fits(fit_source, 9, 7, 3, 7, 3, fit_3x7x3);
    assert_fits(fit_source, 9, 7, 9, 7, 3, fit_source);
    assert_fits(fit_tall, 1, 100, 4, 3, 3, fit_tall_4x3x3);
}

/* A grey Image spreads over three channels; a constant one stays what it is at any scale (the
   weights sum to one). */
static void test_fit_grey_and_extremes(void **state)
{
    (void)state;
    enum { SIDE = 65500 };
    uint8_t *line = malloc(SIDE), out[24 * 16 * 3];
    Error error;
    assert_non_null(line);
    memset(line, 201, SIDE);
    static const int sizes[][2] = { { SIDE, 1 }, { 1, SIDE }, { 250, 262 }, { 1, 1 }, { 23, 17 } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        Image image = { sizes[s][0], sizes[s][1], 1, line, 8 };
        memset(out, 0, sizeof out);
        assert_int_equal(image_fit(&image, 24, 16, 3, out, &error), 0);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 201);
    }
    free(line);
}

static void test_write_and_read_back(void **state)
{
    (void)state;
    static const uint8_t grey[6] = { 0, 1, 127, 128, 254, 255 };
    uint8_t tripled[18];
    Image image;
    Error error;
    for (int i = 0; i < 18; i++)
        tripled[i] = grey[i / 3];
    assert_int_equal(image_write_png(path, 3, 2, 1, grey, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_memory_equal(image.pixels, tripled, sizeof tripled);
    image_free(&image);
    assert_int_equal(image_write_png(path, 9, 7, 3, fit_source, &error), 0);
    assert_int_equal(image_read(&image, path, &error), 0);
    assert_memory_equal(image.pixels, fit_source, sizeof fit_source);
    image_free(&image);
}

static void test_write_into_nothing(void **state)
{
    (void)state;
    static const uint8_t white = 255;
    char missing[400];
    Error error;
    snprintf(missing, sizeof missing, "%s/no/such/folder.png", folder);
    assert_int_equal(image_write_png(missing, 1, 1, 1, &white, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
    assert_non_null(strstr(error.text, missing));
}

/* Found files, where there are some: the turned ones show what the upright original shows, a name
   does not make a format. */
static void test_found_files(void **state)
{
    (void)state;
    const char *top = getenv("CAEC_SHARED");
    if (!top)
        skip();
    static const char *const refused[][2] = {
        { "odd_derived/rgb_224.bmp", "BMP" },
        { "odd_derived/rgb_224.ppm", "PPM" },
        { "odd_found/webp_named_jpg_Dog_01.jpg", "WebP" },
        { "odd_derived/truncated_half.jpg", "truncated" },
        { "odd_derived/header_only.jpg", "truncated" },
        { "odd_derived/empty.jpg", "empty" },
        { "odd_derived/text_named_jpg.jpg", "neither JPEG nor PNG" },
    };
    char file[600];
    Image image, upright;
    Error error;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(file, sizeof file, "%s/dogs_raw/%s", top, refused[i][0]);
        assert_int_equal(image_read(&image, file, &error), -1);
        assert_int_equal(error.exit_code, EXIT_INPUT);
        assert_non_null(strstr(error.text, refused[i][0]));
        assert_non_null(strstr(error.text, refused[i][1]));
    }
    snprintf(file, sizeof file, "%s/dogs_raw/originals/n02106382_6601_500x375.jpg", top);
    assert_int_equal(image_read(&upright, file, &error), 0);
    for (int o = 3; o <= 8; o += o == 3 ? 3 : 2) {
        snprintf(file, sizeof file, "%s/dogs_raw/odd_derived/exif%d_stored_turned.jpg", top, o);
        assert_int_equal(image_read(&image, file, &error), 0);
        assert_int_equal(image.width, 500);
        assert_int_equal(image.height, 375);
        double difference = 0;
        for (int i = 0; i < 500 * 375 * 3; i++)
            difference += abs(image.pixels[i] - upright.pixels[i]);
        assert_true(difference / (500 * 375 * 3) < 5);
        image_free(&image);
    }
    image_free(&upright);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jpeg_kinds),
        cmocka_unit_test(test_png_kinds),
        cmocka_unit_test(test_sixteen_bits_are_rounded),
        cmocka_unit_test(test_transparent_sixteen_bits),
        cmocka_unit_test(test_few_bits_are_exact),
        cmocka_unit_test(test_twelve_bit_jpeg_is_refused),
        cmocka_unit_test(test_rounding_is_said_once),
        cmocka_unit_test(test_exif_orientations),
        cmocka_unit_test(test_exif_nonsense),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_huge_file),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_other_formats_are_named),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_endless_scans),
        cmocka_unit_test(test_compressed_texts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_fit_as_pillow),
        cmocka_unit_test(test_fit_grey_and_extremes),
        cmocka_unit_test(test_write_and_read_back),
        cmocka_unit_test(test_write_into_nothing),
        cmocka_unit_test(test_found_files),
    };
    return cmocka_run_group_tests_name("image", tests, make_folder, remove_folder);
}
