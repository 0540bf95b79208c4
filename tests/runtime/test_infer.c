/* What <name>-infer makes of pictures and latents: see infer_runs.h for what is known of it. */
#define _XOPEN_SOURCE 700
#include "infer_runs.h"

#include "formats/npy.h"
#include "images/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int block_maximum(const uint8_t *picture, int y, int x, int c)
{
    int most = 0;
    for (int t = 0; t < 4; t++) {
        int value = picture[((y / 2 * 2 + t / 2) * SIDE + x / 2 * 2 + t % 2) * 3 + c];
        if (value > most)
            most = value;
    }
    return most;
}

/* Asserts that the cell of a sheet at (column, row) is `picture`, or its reconstruction. */
static void check_cell(const Image *sheet, int column, int row, const uint8_t *picture,
                       int reconstructed)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                int wanted = reconstructed ? block_maximum(picture, y, x, c)
                                           : picture[(y * SIDE + x) * 3 + c];
                int place = ((row * (SIDE + 2) + y) * sheet->width + column * (SIDE + 2) + x) * 3
                            + c;
                assert_int_equal(sheet->pixels[place], wanted);
            }
}

static void read_sheet(Image *sheet, const char *path, int columns, int rows)
{
    Error error;
    if (image_read(sheet, path, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(sheet->width, columns * (SIDE + 2) - 2);
    assert_int_equal(sheet->height, rows * (SIDE + 2) - 2);
}

static void encodes(void **state)
{
    static const int order[] = { 2, 0, 1, 2 }; /* c.png, then the folder's */
    double values[4 * LATENT];
    NpyReader reader;
    char message[800];
    int io;

    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        char number[2] = { (char)('0' + threads), 0 };
        assert_int_equal(RUN("--weights", weights, "encode", at("in/c.png"), at("in"), "-o",
                             at("z.npy"), "--threads", number),
                         0);
        assert_int_equal(npy_open(&reader, at("z.npy"), message, sizeof message, &io), 0);
        assert_int_equal(reader.rank, 4);
        for (int i = 0; i < 4; i++)
            assert_int_equal(reader.shape[i], 4);
        assert_int_equal(reader.element_bytes, 4);
        assert_int_equal(npy_next(&reader, values, 4 * LATENT, message, sizeof message, &io), 0);
        npy_close(&reader);
        for (int i = 0; i < 4 * LATENT; i++) {
            int f = i % 4, x = i / 4 % 4, y = i / 16 % 4;
            double wanted = f == 3 ? 0.25
                                   : block_maximum(pictures[order[i / LATENT]], 2 * y, 2 * x, f)
                                         / 255.0;
            assert_true(fabs(values[i] - wanted) < 1e-6);
        }
    }
}

static void decodes(void **state)
{
    static const float levels[] = { 0.1f, 0.4f, -1, 0.002f, 0.25f };
    /* round(255 * clamp(level * (c + 1), 0, 1)) */
    static const int wanted[5][3] = {
        { 26, 51, 77 }, { 102, 204, 255 }, { 0, 0, 0 }, { 1, 1, 2 }, { 64, 128, 191 }
    };
    Image image;
    Error error;
    char name[40];

    (void)state;
    put_latents(at("five.npy"), 5, levels);
    assert_int_equal(RUN("--weights", weights, "decode", at("five.npy"), "-o", at("five")), 0);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "five/%04d.png", i);
        if (image_read(&image, at(name), &error) != 0)
            fail_msg("%s", error.text);
        assert_int_equal(image.width, SIDE);
        for (int k = 0; k < BYTES; k++)
            assert_int_equal(image.pixels[k], wanted[i][k % 3]);
        image_free(&image);
        assert_int_equal(unlink(at(name)), 0);
    }
    assert_int_equal(rmdir(at("five")), 0); /* nothing else was left there */

    assert_int_equal(RUN("--weights", weights, "decode", at("five.npy"), "-o", at("five.png")), 0);
    read_sheet(&image, at("five.png"), 3, 2);
    /* the fifth cell */
    assert_int_equal(image.pixels[((SIDE + 2) * image.width + SIDE + 2) * 3 + 2], 191);
    image_free(&image);

    put_latents(at("one.npy"), 1, levels);
    assert_int_equal(RUN("--weights", weights, "decode", at("one.npy"), "-o", at("one.PNG")), 0);
    read_sheet(&image, at("one.PNG"), 1, 1);
    assert_int_equal(image.pixels[2], 77);
    image_free(&image);
}

static void refuses_wrong_latents(void **state)
{
    static const float bad[] = { 0.5f, NAN };
    const int64_t shape[] = { 1, 4, 4, 5 }, none[] = { 0, 4, 4, 4 };
    static const float values[80];
    char message[800];
    NpyWriter writer;

    (void)state;
    assert_int_equal(npy_create(&writer, at("shape.npy"), 4, shape, message, sizeof message), 0);
    npy_append(&writer, values, 80);
    assert_int_equal(npy_commit(&writer, 1, message, sizeof message), 0);
    assert_int_equal(RUN("--weights", weights, "decode", at("shape.npy"), "-o", at("out")), 1);
    assert_non_null(strstr(text, "[1, 4, 4, 5]"));
    assert_non_null(strstr(text, "[N, 4, 4, 4]"));
    assert_int_equal(npy_create(&writer, at("none.npy"), 4, none, message, sizeof message), 0);
    assert_int_equal(npy_commit(&writer, 0, message, sizeof message), 0);
    assert_int_equal(RUN("--weights", weights, "decode", at("none.npy"), "-o", at("out")), 1);
    put_latents(at("nan.npy"), 2, bad);
    assert_int_equal(
        RUN("--weights", weights, "decode", at("nan.npy"), "-o", at("out"), "--threads", "1"), 1);
    assert_non_null(strstr(text, "row 1"));
    assert_int_equal(RUN("--weights", weights, "decode", at("missing.npy"), "-o", at("out")), 3);
    assert_int_equal(RUN("--weights", weights, "decode", at("in/a.png"), "-o", at("out")), 1);
    assert_int_equal(RUN("--weights", weights, "decode", at("nan.npy"), "-o", at("out.jpg")), 2);
    assert_false(exists("out"));
}

static void reconstructs(void **state)
{
    Image sheet;
    (void)state;
    assert_int_equal(
        RUN("--weights", weights, "reconstruct", at("in/b.png"), at("in"), "-o", at("sheet.png")),
        0);
    read_sheet(&sheet, at("sheet.png"), 4, 2);
    for (int i = 0; i < 4; i++) {
        const uint8_t *picture = pictures[i == 0 ? 1 : i - 1];
        check_cell(&sheet, i, 0, picture, 0);
        check_cell(&sheet, i, 1, picture, 1);
    }
    image_free(&sheet);

    /* 18 pictures: the 17th stands in a second pair of rows */
    assert_int_equal(RUN("--weights", weights, "reconstruct", at("in"), at("in"), at("in"),
                         at("in"), at("in"), at("in"), "-o", at("sheet.png")),
                     0);
    read_sheet(&sheet, at("sheet.png"), 16, 4);
    check_cell(&sheet, 0, 2, pictures[1], 0);
    check_cell(&sheet, 1, 3, pictures[2], 1);
    image_free(&sheet);
    assert_int_equal(RUN("--weights", weights, "reconstruct", at("in"), "-o", at("sheet.gif")), 2);
}

static void interpolates(void **state)
{
    Image sheet;
    (void)state;
    assert_int_equal(RUN("--weights", weights, "interpolate", at("in/b.png"), at("in/c.png"),
                         "--steps", "3", "-o", at("row.png")),
                     0);
    read_sheet(&sheet, at("row.png"), 5, 1);
    check_cell(&sheet, 0, 0, pictures[1], 1);
    check_cell(&sheet, 4, 0, pictures[2], 1);
    for (int i = 1; i < 4; i++)
        for (int k = 0; k < BYTES; k++) {
            int y = k / 3 / SIDE, x = k / 3 % SIDE, c = k % 3;
            double mixed = (1 - i / 4.0) * block_maximum(pictures[1], y, x, c)
                           + i / 4.0 * block_maximum(pictures[2], y, x, c);
            int got = sheet.pixels[(y * sheet.width + i * (SIDE + 2) + x) * 3 + c];
            assert_true(fabs(got - mixed) < 0.501); /* rounded, either way at a tie */
        }
    image_free(&sheet);
    assert_int_equal(RUN("--weights", weights, "interpolate", at("in/b.png"), at("in/c.png"), "-o",
                         at("row.png")),
                     0);
    read_sheet(&sheet, at("row.png"), 18, 1);
    image_free(&sheet);
}

static void picks_by_seed(void **state)
{
    char first[10][2000], seed[4];
    int different = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(seed, sizeof seed, "%d", i);
        assert_int_equal(
            RUN("--weights", weights, "interpolate", at("in"), "--seed", seed, "-o", at("row.png")),
            0);
        snprintf(first[i], sizeof first[0], "%.1999s", text);
        assert_int_equal(
            RUN("--weights", weights, "interpolate", at("in"), "--seed", seed, "-o", at("row.png")),
            0);
        assert_string_equal(first[i], text);
        different += strcmp(first[0], first[i]) != 0;
        char *a = strstr(text, ".png"), *b = a ? strstr(a + 4, ".png") : NULL;
        assert_non_null(b);
        assert_int_not_equal(a[-1], b[-1]); /* two pictures, not one twice */
    }
    assert_true(different > 0);

    mkdir(at("lonely"), 0777);
    Error error;
    assert_int_equal(image_write_png(at("lonely/a.png"), SIDE, SIDE, 3, pictures[0], &error), 0);
    assert_int_equal(RUN("--weights", weights, "interpolate", at("lonely"), "-o", at("no.png")), 1);
    assert_int_equal(RUN("--weights", weights, "interpolate", at("in/a.png"), "-o", at("no.png")),
                     2);
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at("in/none.png"), "-o", at("no.png")), 3);
    assert_false(exists("no.png"));
}

/* Mean squared error on 0..1 of picture i against its block maxima. */
static double error_of(int i)
{
    double sum = 0;
    for (int k = 0; k < BYTES; k++) {
        double difference = (block_maximum(pictures[i], k / 3 / SIDE, k / 3 % SIDE, k % 3)
                             - pictures[i][k])
                            / 255.0;
        sum += difference * difference;
    }
    return sum / BYTES;
}

static void scores(void **state)
{
    FILE *file;
    char wanted[1000], path[500], line[600];
    double mse, psnr;

    (void)state;
    assert_true(error_of(2) > error_of(1) && error_of(0) == 0);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--csv", at("scores.csv")), 0);
    snprintf(wanted, sizeof wanted, "\n%.8f ", (error_of(0) + error_of(1) + error_of(2)) / 3);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(strstr(text, wanted), "  mean of 3\n"));
    char *c = strstr(text, "c.png"), *b = strstr(text, "b.png"), *a = strstr(text, "a.png");
    assert_true(c && b && a && c < b && b < a);
    assert_non_null(file = fopen(at("scores.csv"), "r"));
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "path,mse,psnr\n");
    for (int i = 2; i >= 0; i--) {
        snprintf(wanted, sizeof wanted, "%s/in/%c.png", folder, 'a' + i);
        assert_non_null(fgets(line, sizeof line, file));
        assert_int_equal(sscanf(line, "%499[^,],%lf,%lf", path, &mse, &psnr), 3);
        assert_string_equal(path, wanted);
        assert_true(fabs(mse - error_of(i)) <= 1e-6 * error_of(i) + 1e-12);
        if (i > 0)
            assert_true(fabs(psnr + 10 * log10(error_of(i))) < 1e-4);
    }
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

/* Black comes back as black, to the bit. */
static void scores_what_comes_back_exactly(void **state)
{
    static const uint8_t black[BYTES];
    Error error;

    (void)state;
    assert_int_equal(image_write_png(at("black.png"), SIDE, SIDE, 3, black, &error), 0);
    assert_int_equal(RUN("--weights", weights, "score", at("black.png"), "--csv", at("black.csv")),
                     0);
    assert_non_null(strstr(text, "\n0.00000000   200.00  "));
    assert_non_null(strstr(text, "\n0.00000000   200.00  mean of 1"));
    read_text(at("black.csv"));
    assert_non_null(strstr(text, "black.png,0,200.000000\n"));
}

/* The distance between latents of flat pictures: three of four features follow the level. */
static double flat_distance(int a, int b)
{
    return abs(a - b) / 255.0 * sqrt(LATENT * 3.0 / 4);
}

/* Asserts that `text` begins with a line of this distance and path; returns the next line. */
static char *check_neighbour(char *line, double wanted, const char *path)
{
    char *rest;
    assert_true(fabs(strtod(line, &rest) - wanted) < 1e-5);
    assert_int_equal(*rest, '\t');
    size_t length = strlen(path);
    if (strncmp(rest + 1, path, length) != 0 || rest[1 + length] != '\n')
        fail_msg("wanted %s, not %s", path, line);
    return rest + 2 + length;
}

/* Level 10 (i + 1) of picture i, %02d.png in the order of `i * 7 % 20`: the nearest come late and
   early in more batches than one. */
static void make_flat_folder(void)
{
    uint8_t flat[BYTES];
    char name[40];
    Error error;

    mkdir(at("flat"), 0777);
    for (int i = 0; i < 20; i++) {
        memset(flat, 10 * (i + 1), BYTES);
        snprintf(name, sizeof name, "flat/%02d.png", i * 7 % 20);
        assert_int_equal(image_write_png(at(name), SIDE, SIDE, 3, flat, &error), 0);
    }
}

static void finds_the_nearest(void **state)
{
    static const int order[] = { 19, 18, 17, 16, 15, 14, 13, 12 };
    static char first[sizeof text];
    uint8_t flat[BYTES];
    char name[40];
    Error error;
    Image sheet;

    (void)state;
    make_flat_folder();
    memset(flat, 255, BYTES);
    assert_int_equal(image_write_png(at("white.png"), SIDE, SIDE, 3, flat, &error), 0);
    for (int threads = 1; threads <= 3; threads++) {
        char number[2] = { (char)('0' + threads), 0 }, *line = text;
        assert_int_equal(RUN("--weights", weights, "nearest", at("white.png"), at("flat"), "-o",
                             at("near.png"), "--threads", number),
                         0);
        for (int i = 0; i < 8; i++) {
            snprintf(name, sizeof name, "flat/%02d.png", order[i] * 7 % 20);
            line = check_neighbour(line, flat_distance(255, 10 * (order[i] + 1)), at(name));
        }
        assert_int_equal(*line, 0);
        if (threads == 1)
            strcpy(first, text);
        assert_string_equal(text, first); /* to the last digit */
        read_sheet(&sheet, at("near.png"), 9, 1);
        check_cell(&sheet, 0, 0, flat, 0);
        for (int i = 0; i < 8; i++)
            assert_int_equal(sheet.pixels[(i + 1) * (SIDE + 2) * 3], 10 * (order[i] + 1));
        image_free(&sheet);
    }
}

/* More are asked for than there are; the picture itself is one of them. */
static void finds_all_there_are(void **state)
{
    char wanted[700];
    Image sheet;

    (void)state;
    make_flat_folder();
    assert_int_equal(RUN("--weights", weights, "nearest", at("flat/00.png"), at("flat"), "-o",
                         at("all.png"), "--count", "30", "--csv", at("all.csv")),
                     0);
    char *line = check_neighbour(text, 0, at("flat/00.png"));
    check_neighbour(line, flat_distance(10, 20), at("flat/07.png"));
    read_sheet(&sheet, at("all.png"), 16, 2); /* a row of 16, and one of 5 */
    assert_int_equal(sheet.pixels[0], 10);
    assert_int_equal(sheet.pixels[((SIDE + 2) * sheet.width + 4 * (SIDE + 2)) * 3], 200);
    assert_int_equal(sheet.pixels[((SIDE + 2) * sheet.width + 5 * (SIDE + 2)) * 3], 255);
    image_free(&sheet);
    read_text(at("all.csv"));
    snprintf(wanted, sizeof wanted, "path,distance\n%s,0\n%s,0.27", at("flat/00.png"),
             at("flat/07.png"));
    assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
}

/* Equally near ones by their paths, and those beyond the count are the last of them; what cannot be
   read is passed over. */
static void nearest_ties_and_unreadable(void **state)
{
    static const char *const same[] = { "ties/3.png", "ties/1.png", "ties/2/9.png" };
    Error error;

    (void)state;
    mkdir(at("ties"), 0777);
    mkdir(at("ties/2"), 0777);
    for (int i = 0; i < 3; i++)
        assert_int_equal(image_write_png(at(same[i]), SIDE, SIDE, 3, pictures[1], &error), 0);
    assert_int_equal(image_write_png(at("ties/0.png"), SIDE, SIDE, 3, pictures[2], &error), 0);
    assert_int_equal(image_write_png(at("ties/0bad.png"), SIDE, SIDE, 3, pictures[2], &error), 0);
    assert_int_equal(truncate(at("ties/0bad.png"), 60), 0);
    assert_int_equal(RUN("--weights", weights, "nearest", at("in/b.png"), at("ties"), "-o",
                         at("ties.png"), "--count", "2"),
                     0);
    char *line = strstr(text, "0\t"), *warning = strstr(text, "warning: ");
    assert_non_null(warning);
    assert_non_null(strstr(warning, "0bad.png"));
    line = check_neighbour(line, 0, at("ties/1.png"));
    line = check_neighbour(line, 0, at("ties/2/9.png"));

    assert_int_equal(RUN("--weights", weights, "nearest", at("ties/0bad.png"), at("in"), "-o",
                         at("no.png"), "--csv", at("no.csv")),
                     1);
    assert_int_equal(unlink(at("ties/0.png")) | unlink(at("ties/1.png")) | unlink(at("ties/3.png"))
                         | unlink(at("ties/2/9.png")),
                     0);
    assert_int_equal(
        RUN("--weights", weights, "nearest", at("in/b.png"), at("ties"), "-o", at("no.png")), 1);
    assert_int_equal(RUN("--weights", weights, "nearest", at("in/b.png"), at("in"), "-o",
                         at("none/no.png"), "--csv", at("no.csv")),
                     3);
    assert_false(exists("no.png") || exists("no.csv"));
}

static void unreadable_pictures(void **state)
{
    Error error;
    FILE *file;

    (void)state;
    mkdir(at("mixed"), 0777);
    assert_int_equal(image_write_png(at("mixed/good.png"), SIDE, SIDE, 3, pictures[1], &error), 0);
    assert_int_equal(truncate(at("in/c.png"), 0) == 0
                         && image_write_png(at("in/c.png"), SIDE, SIDE, 3, pictures[2], &error)
                                == 0,
                     1);
    assert_non_null(file = fopen(at("mixed/cut.png"), "wb"));
    FILE *whole = fopen(at("in/c.png"), "rb");
    assert_non_null(whole);
    /* the header is whole, the pixels are not */
    for (int i = 0; i < 60; i++)
        putc(getc(whole), file);
    fclose(whole);
    fclose(file);
    assert_int_equal(RUN("--weights", weights, "encode", at("mixed"), "-o", at("mixed.npy")), 0);
    assert_non_null(strstr(text, "warning: "));
    assert_non_null(strstr(text, "cut.png"));
    NpyReader reader;
    char message[800];
    int io;
    assert_int_equal(npy_open(&reader, at("mixed.npy"), message, sizeof message, &io), 0);
    assert_int_equal(reader.shape[0], 1);
    npy_close(&reader);

    assert_int_equal(RUN("--weights", weights, "encode", at("in/a.png"), at("mixed/cut.png"), "-o",
                         at("no.npy")),
                     1);
    assert_non_null(strstr(text, "cut.png"));
    assert_int_equal(
        RUN("--weights", weights, "encode", at("in/a.png"), at("none.png"), "-o", at("no.npy")), 3);
    assert_int_equal(RUN("--weights", weights, "encode", weights, "-o", at("no.npy")), 1);
    assert_false(exists("no.npy"));
    assert_int_equal(RUN("--weights", weights, "encode", at("in"), "-o", at("none/z.npy")), 3);
    assert_int_equal(RUN("--weights", weights, "decode", at("none.npy"), "-o", at("none/deep")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes),
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses_wrong_latents),
        cmocka_unit_test(reconstructs),
        cmocka_unit_test(interpolates),
        cmocka_unit_test(picks_by_seed),
        cmocka_unit_test(scores),
        cmocka_unit_test(scores_what_comes_back_exactly),
        cmocka_unit_test(finds_the_nearest),
        cmocka_unit_test(finds_all_there_are),
        cmocka_unit_test(nearest_ties_and_unreadable),
        cmocka_unit_test(unreadable_pictures),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
