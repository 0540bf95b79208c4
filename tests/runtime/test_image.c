/* Reading pictures: formats, depths, orientations. */
#include "image_files.h"
#include "image_samples.h"
#include "images/image_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        cmocka_unit_test(test_found_files),
    };
    return cmocka_run_group_tests_name("image", tests, make_folder, remove_folder);
}
