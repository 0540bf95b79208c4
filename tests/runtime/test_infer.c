/* <name>-infer with the network of tiny_model.c and weights for which its results are known: the
 * centre taps pass three colours on, so that the latent is the maximum of each 2x2 block and the
 * output is that maximum four times. Feature 3 is the constant 0.25, which nothing reads. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#define main program_main /* the whole program, to be run in a child process */
#include "main_infer.c"
#undef main

#include "formats/npy.h"
#include "images/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SIDE = 8,
    BYTES = SIDE * SIDE * 3,
    LATENT = 4 * 4 * 4,
    PICTURES = 3,
    REALS = 223,
    K1 = 0,
    B1 = 108,
    K2 = 112,
    B2 = 220
};

static char folder[200], weights[300], printed[300];
static uint8_t pictures[PICTURES][BYTES];
static char text[65536]; /* what the last program printed */

/* A path in the temporary folder, good for eight calls. */
static char *at(const char *name)
{
    static char paths[8][300];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void remove_all(const char *path)
{
    DIR *directory = opendir(path);
    char inner[600];
    struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            if (unlink(inner) != 0)
                remove_all(inner);
        }
    if (directory)
        closedir(directory);
    rmdir(path);
}

static int write_weights(void)
{
    static float values[REALS];
    const int offset[] = { K1, B1, K2, B2 };
    SafetensorsItem items[4];
    char message[800];

    for (int c = 0; c < 3; c++) {
        values[K1 + (4 * 3 + c) * 4 + c] = 1;
        values[K2 + (4 * 4 + c) * 3 + c] = 1;
    }
    values[B1 + 3] = 0.25f;
    for (int i = 0; i < 4; i++) {
        const ModelParameter *p = &caec_model.parameters[i];
        items[i] = (SafetensorsItem){ .name = p->name,
                                      .type = SAFETENSORS_F32,
                                      .rank = p->shape.rank,
                                      .values = values + offset[i] };
        for (int k = 0; k < p->shape.rank; k++)
            items[i].shape[k] = p->shape.dim[k];
    }
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    return safetensors_write(weights, items, 4, NULL, NULL, 0, message, sizeof message);
}

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    uint32_t random = 1;
    Error error;
    char name[20];

    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-infer-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || write_weights() != 0 || mkdir(at("in"), 0777) != 0)
        return -1;
    snprintf(printed, sizeof printed, "%s/printed", folder);
    for (int i = 0; i < PICTURES; i++) {
        for (int k = 0; k < BYTES; k++) {
            random = random * 1664525 + 1013904223;
            /* the first picture is flat, and so without error; the last is the worst */
            pictures[i][k] = (uint8_t)(i == 0 ? 100 : (random >> 24) / (unsigned)(PICTURES - i));
        }
        snprintf(name, sizeof name, "in/%c.png", 'a' + i);
        if (image_write_png(at(name), SIDE, SIDE, 3, pictures[i], &error) != 0)
            return -1;
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all(folder);
    return 0;
}

/* Runs the program with these words in a child; its exit code, and what it printed in `text`. */
static int run_words(char **words, int count)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(printed, "w", stdout) || dup2(1, 2) < 0)
            _exit(99);
        int code = program_main(count, words);
        fflush(NULL);
        _exit(code);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    FILE *file = fopen(printed, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...)                                             \
    run_words((char *[]){ "tiny-infer", __VA_ARGS__, NULL }, \
              sizeof((char *[]){ "tiny-infer", __VA_ARGS__ }) / sizeof(char *))

static int exists(const char *name)
{
    return access(at(name), F_OK) == 0;
}

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

/* Latents of `rows` flat pictures: colour c of row r has the value levels[r] * (c + 1). */
static void put_latents(const char *path, int rows, const float *levels)
{
    const int64_t shape[] = { rows, 4, 4, 4 };
    char message[800];
    NpyWriter writer;

    assert_int_equal(npy_create(&writer, path, 4, shape, message, sizeof message), 0);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < LATENT; i++) {
            float value = levels[r] * (float)(i % 4 + 1);
            npy_append(&writer, &value, 1);
        }
    assert_int_equal(npy_commit(&writer, rows, message, sizeof message), 0);
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

static void read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
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

/* 2 x 2 pixels, each of its channels 0x80ff. */
static const uint8_t deep[] = {
    137, 80,  78, 71, 13, 10,  26,  10, 0,   0,   0,   13,  73, 72,  68,  82, 0,   0,
    0,   2,   0,  0,  0,  2,   16,  2,  0,   0,   0,   173, 68, 70,  48,  0,  0,   0,
    15,  73,  68, 65, 84, 120, 218, 99, 104, 248, 143, 128, 12, 200, 28,  0,  230, 132,
    17,  245, 9,  39, 43, 147, 0,   0,  0,   0,   73,  69,  78, 68,  174, 66, 96,  130,
};

static void write_bytes(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void sixteen_bits_are_said_once(void **state)
{
    const char *first;

    (void)state;
    mkdir(at("deep"), 0777);
    write_bytes(at("deep/a.png"), deep, sizeof deep);
    write_bytes(at("deep/b.png"), deep, sizeof deep);
    for (int folder_given = 0; folder_given < 2; folder_given++) {
        assert_int_equal(folder_given
                             ? RUN("--weights", weights, "encode", at("deep"), "-o", at("z.npy"))
                             : RUN("--weights", weights, "encode", at("deep/a.png"),
                                   at("deep/b.png"), "-o", at("z.npy")),
                         0);
        assert_non_null(first = strstr(text, "warning: "));
        assert_non_null(strstr(first, "its 16 bits a channel are rounded to 8"));
        assert_null(strstr(first + 1, "warning: "));
    }
    assert_int_equal(RUN("--weights", weights, "encode", at("in"), "-o", at("z.npy")), 0);
    assert_null(strstr(text, "warning"));
}

/* A process that writes `n` bytes into the pipe at `path`, made here, and then zeros for ever; to
   be given to stop_writing. */
static pid_t start_writing(const char *path, const void *bytes, size_t n)
{
    static const char zeros[1 << 16];
    assert_int_equal(mkfifo(path, 0600), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        int fd = open(path, O_WRONLY);
        while (write(fd, bytes, n) >= 0)
            bytes = zeros, n = sizeof zeros;
        _exit(1);
    }
    return child;
}

static void stop_writing(pid_t child, const char *path)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child); /* SIGPIPE: nobody reads on */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    unlink(path);
}

/* What is no plain file is refused unopened; what has no end is not read to it. */
static void devices_and_endless_files(void **state)
{
    static const char *const devices[] = { "/dev/zero", "/dev/null", "/dev/full" };
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(RUN("--weights", weights, "score", (char *)devices[i]), 3);
        assert_non_null(strstr(text, "neither a plain file nor a pipe"));
        assert_int_equal(
            RUN("--weights", weights, "decode", (char *)devices[i], "-o", at("out.png")), 3);
        assert_non_null(strstr(text, "neither a plain file nor a pipe"));
        assert_int_equal(RUN("--weights", (char *)devices[i], "score", at("in")), 3);
        assert_non_null(strstr(text, "neither a plain file nor a pipe"));
    }
    assert_int_equal(RUN("--weights", weights, "score", "/proc/self/pagemap"), 1);
    assert_non_null(strstr(text, "neither JPEG nor PNG"));
    assert_int_equal(RUN("--weights", "/proc/self/pagemap", "score", at("in")), 1);
    assert_non_null(strstr(text, "is no safetensors file"));
}

static void pipes_without_end(void **state)
{
    unsigned char start[4096];
    (void)state;
    pid_t writer = start_writing(at("pipe"), "GIF89a", 6);
    assert_int_equal(RUN("--weights", weights, "score", at("pipe")), 1);
    assert_non_null(strstr(text, "a GIF file"));
    stop_writing(writer, at("pipe"));

    writer = start_writing(at("pipe"), "no weights", 10);
    assert_int_equal(RUN("--weights", at("pipe"), "score", at("in")), 1);
    assert_non_null(strstr(text, "is no safetensors file"));
    stop_writing(writer, at("pipe"));

    FILE *file = fopen(weights, "rb"); /* good weights, and then more */
    assert_non_null(file);
    size_t n = fread(start, 1, sizeof start, file);
    assert_true(n < sizeof start && feof(file));
    fclose(file);
    writer = start_writing(at("pipe"), start, n);
    assert_int_equal(RUN("--weights", at("pipe"), "score", at("in")), 1);
    assert_non_null(strstr(text, "belong to nothing"));
    stop_writing(writer, at("pipe"));
}

static int count_lines(void)
{
    int lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    return lines;
}

/* Nothing that a terminal obeys, and no line more than there are rows. */
static void plain(int lines)
{
    for (const char *c = text; *c; c++) {
        assert_true((unsigned char)*c >= ' ' || *c == '\n');
        assert_true((unsigned char)*c < 0x7f);
    }
    assert_int_equal(count_lines(), lines);
}

static void hostile_names(void **state)
{
    static const char *const names[] = { "hostile/\033[31mred\233.png",
                                         "hostile/0.0  99.99  forged\n0,\"1.png",
                                         "hostile/\302\233\342\200\256.png" };
    Error error;

    (void)state;
    mkdir(at("hostile"), 0777);
    for (int i = 0; i < 3; i++)
        assert_int_equal(image_write_png(at(names[i]), SIDE, SIDE, 3, pictures[i], &error), 0);
    assert_int_equal(RUN("--weights", weights, "score", at("hostile"), "--csv", at("hostile.csv")),
                     0);
    plain(1 + 3 + 1);
    assert_non_null(strstr(text, "/?[31mred?.png\n"));
    read_text(at("hostile.csv"));
    plain(1 + 3);
    assert_non_null(strstr(text, "\n\""));
    assert_non_null(strstr(text, "/0.0  99.99  forged?0,\"\"1.png\","));
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at(names[0]), at(names[1]), "-o", at("row.png")),
        0);
    plain(2);
    assert_int_equal(truncate(at(names[0]), 40), 0);
    assert_int_equal(RUN("--weights", weights, "score", at("hostile")), 0);
    plain(1 + 1 + 2 + 1);
    assert_int_equal(RUN("--weights", weights, "score", at(names[0])), 1);
    plain(1);
    assert_int_equal(RUN("--weights", at("\033[2J\n\233"), "score", at(names[0])), 3);
    plain(1);
}

/* Words of the command line: a shell's * makes them of names of files. */
static void hostile_words(void **state)
{
    (void)state;
    assert_int_equal(RUN("\033[2J\n\233"), 2);
    plain(2);
    assert_int_equal(RUN("--we\033ights", weights), 2);
    plain(1);
    assert_int_equal(RUN("-\233"), 2);
    plain(1);
    assert_int_equal(RUN("--threads", "\0331\n"), 2);
    plain(2);
    assert_int_equal(RUN("--weights", weights, "encode", "in", "-o\033[2J/none/z.npy"), 3);
    plain(1);
}

/* Weights that are numbers, and results that are none. */
static void results_that_are_no_numbers(void **state)
{
    static float huge[REALS];
    static const char *const outputs[] = { "z.npy", "huge.csv", "sheet.png", "way.png",
                                           "picture.png" };
    static const float latents[LATENT] = { 1 };
    SafetensorsItem items[4];
    char message[800], before[100];

    (void)state;
    for (int i = 0; i < REALS; i++)
        huge[i] = 3e38f;
    for (int i = 0; i < 4; i++) {
        const ModelParameter *p = &caec_model.parameters[i];
        items[i] = (SafetensorsItem){ .name = p->name,
                                      .type = SAFETENSORS_F32,
                                      .rank = p->shape.rank,
                                      .values = huge + p->offset };
        for (int k = 0; k < p->shape.rank; k++)
            items[i].shape[k] = p->shape.dim[k];
    }
    assert_int_equal(
        safetensors_write(at("huge.safetensors"), items, 4, NULL, NULL, 0, message, sizeof message),
        0);
    put_latents(at("one.npy"), 1, latents);
    for (int i = 0; i < 5; i++) {
        FILE *file = fopen(at(outputs[i]), "w");
        assert_non_null(file);
        fprintf(file, "old %d", i);
        fclose(file);
    }
#define WANT_NONE(name, ...)                                                                     \
    do {                                                                                         \
        assert_int_equal(RUN("--weights", at("huge.safetensors"), __VA_ARGS__), 1);              \
        if (!strstr(text, name) || !strstr(text, "weights are too large") || count_lines() != 1) \
            fail_msg("%s", text);                                                                \
    } while (0)
    WANT_NONE("b.png", "score", at("in/b.png"), "--csv", at("huge.csv"));
    WANT_NONE("a.png", "score", at("in"));
    WANT_NONE("b.png", "encode", at("in/b.png"), "-o", at("z.npy"));
    WANT_NONE("a.png", "reconstruct", at("in"), "-o", at("sheet.png"));
    WANT_NONE("b.png", "interpolate", at("in/b.png"), at("in/c.png"), "-o", at("way.png"));
    WANT_NONE("one.npy: row 0", "decode", at("one.npy"), "-o", at("picture.png"));
    WANT_NONE("one.npy: row 0", "decode", at("one.npy"), "-o", at("pictures"));
    assert_false(exists("pictures"));
    for (int i = 0; i < 5; i++) {
        read_text(at(outputs[i]));
        snprintf(before, sizeof before, "old %d", i);
        assert_string_equal(text, before);
    }
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

static void bad_usage(void **state)
{
    (void)state;
    assert_int_equal(RUN("--threads", "1"), 2);
    assert_int_equal(RUN("paint"), 2);
    assert_non_null(strstr(text, "paint"));
    assert_int_equal(RUN("summary", "more"), 2);
    assert_int_equal(RUN("encode", at("in"), "-o", at("z.npy")), 2);
    assert_non_null(strstr(text, "--weights"));
    assert_int_equal(RUN("--weights", weights, "encode", at("in")), 2);
    assert_non_null(strstr(text, "--output"));
    assert_int_equal(RUN("--weights", weights, "encode", "-o", at("z.npy")), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "-o", at("z.npy")), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "0"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "-3"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--threads", "2x"), 2);
    assert_int_equal(RUN("--weights", weights, "score", at("in"), "--seed", "2"), 2);
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at("in"), "--seed", "-1", "-o", at("no.png")), 2);
    assert_int_equal(
        RUN("--weights", weights, "interpolate", at("in"), at("in"), at("in"), "-o", at("no.png")),
        2);
    assert_int_equal(RUN("--wings", weights, "score", at("in")), 2);
    assert_int_equal(RUN("--weights", at("none.safetensors"), "summary"), 3);
    assert_int_equal(RUN("--weights", at("in/a.png"), "summary"), 1);
}

static void tells_about_itself(void **state)
{
    (void)state;
    assert_int_equal(RUN("--version"), 0);
    assert_string_equal(text, "tiny-infer (caec 0.1)\n");
    assert_int_equal(RUN("--help"), 0);
    assert_non_null(strstr(text, "interpolate"));
    assert_non_null(strstr(text, "--weights"));
    assert_int_equal(RUN("summary"), 0);
    assert_string_equal(text, caec_model.summary);
    assert_int_equal(RUN("summary", "--weights", weights), 0);
    assert_string_equal(text, caec_model.summary);
}

static void benches(void **state)
{
    static const char *const keys[] = {
        "latency_ms_1_thread", "latency_ms",  "images_per_second", "effective_gflops",
        "fma_peak_gflops",     "peak_rss_mb", "threads",           "batch"
    };
    json_error_t wrong;

    (void)state;
    assert_int_equal(RUN("bench", "--threads", "1"), 0);
    assert_non_null(strstr(text, "encoder.conv1"));
    assert_int_equal(RUN("bench", "--json", "--threads", "1"), 0);
    json_t *all = json_loads(text, 0, &wrong);
    assert_non_null(all);
    for (int i = 0; i < 8; i++)
        assert_true(json_number_value(json_object_get(all, keys[i])) > 0);
    double speed = json_number_value(json_object_get(all, "images_per_second"));
    assert_true(fabs(json_number_value(json_object_get(all, "effective_gflops"))
                     - 2 * caec_model.forward_macs * speed * 1e-9)
                < 1e-3 * speed * caec_model.forward_macs * 1e-9);
    /* no processor's one thread does that */
    assert_true(json_number_value(json_object_get(all, "fma_peak_gflops")) < 5000);
    assert_int_equal(json_array_size(json_object_get(all, "layers")), caec_model.infer_step_count);
    json_decref(all);
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
        cmocka_unit_test(sixteen_bits_are_said_once),
        cmocka_unit_test(devices_and_endless_files),
        cmocka_unit_test(pipes_without_end),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(hostile_words),
        cmocka_unit_test(results_that_are_no_numbers),
        cmocka_unit_test(unreadable_pictures),
        cmocka_unit_test(bad_usage),
        cmocka_unit_test(tells_about_itself),
        cmocka_unit_test(benches),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
