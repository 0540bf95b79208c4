/* <name>-infer with files and words that may be anybody's. */
#define _XOPEN_SOURCE 700
#include "infer_runs.h"

#include "formats/safetensors.h"
#include "images/image.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    WANT_NONE("b.png", "nearest", at("in/b.png"), at("in"), "-o", at("way.png"));
    WANT_NONE("one.npy: row 0", "decode", at("one.npy"), "-o", at("picture.png"));
    WANT_NONE("one.npy: row 0", "decode", at("one.npy"), "-o", at("pictures"));
    assert_false(exists("pictures"));
    for (int i = 0; i < 5; i++) {
        read_text(at(outputs[i]));
        snprintf(before, sizeof before, "old %d", i);
        assert_string_equal(text, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_bits_are_said_once),
        cmocka_unit_test(devices_and_endless_files),
        cmocka_unit_test(pipes_without_end),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(hostile_words),
        cmocka_unit_test(results_that_are_no_numbers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
