/* small-infer with weights that small-train left: every command against another one, or against the
   rule it promises. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 5, GAP = 2, STEP = SIDE + GAP };

#define INFER SMALL_INFER " --weights run/best.safetensors "

static char *folder;

static void ok(Result result)
{
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "p", PICTURES, 2);
    ok(run(folder, SMALL_TRAIN " --train train --out run --epochs 3 --batch 4"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static Picture read_in(const char *name)
{
    char *path = text_of("%s/%s", folder, name);
    Picture picture = picture_read(path);
    free(path);
    return picture;
}

static void want_none(const char *name)
{
    char *path = text_of("%s/%s", folder, name);
    if (file_exists(path))
        fail_msg("%s was left behind", name);
    free(path);
}

/* The header of a numpy array, as its format page gives it: a magic, the version, the length of a
   Python literal, the literal. */
static void latents_have_their_shape(void **state)
{
    (void)state;
    ok(run(folder, INFER "encode p -o z.npy"));
    char *path = text_of("%s/z.npy", folder);
    size_t length;
    char *bytes = file_read(path, &length);
    assert_memory_equal(bytes, "\x93NUMPY", 6);
    size_t start = 10 + (unsigned char)bytes[8] + 256u * (unsigned char)bytes[9];
    assert_non_null(strstr(bytes + 10, "'<f4'"));
    assert_non_null(strstr(bytes + 10, "(5, 6, 6, 128)"));
    assert_int_equal(length - start, PICTURES * LATENT_SIDE * LATENT_SIDE * LATENT_CHANNELS * 4);
    free(bytes);
    free(path);
}

/* encode and decode in two programs, reconstruct in one: the same pictures, under the originals. */
static void decoded_latents_are_the_reconstructions(void **state)
{
    (void)state;
    ok(run(folder, INFER "encode p -o again.npy"));
    ok(run(folder, INFER "decode again.npy -o decoded"));
    ok(run(folder, INFER "reconstruct p -o sheet.png"));
    Picture sheet = read_in("sheet.png");
    assert_int_equal(sheet.width, PICTURES * STEP - GAP);
    assert_int_equal(sheet.height, 2 * STEP - GAP);
    char *decoded = text_of("%s/decoded", folder);
    FileList list = files_below(decoded);
    assert_int_equal(list.count, PICTURES);
    for (int i = 0; i < PICTURES; i++) {
        char *name = text_of("decoded/%s", list.path[i]), *original = text_of("p/%04d.png", i);
        Picture below = read_in(name), above = read_in(original);
        assert_true(picture_holds(&sheet, i * STEP, 0, &above));
        assert_true(picture_holds(&sheet, i * STEP, STEP, &below));
        free(below.pixels);
        free(above.pixels);
        free(name);
        free(original);
    }
    file_list_free(&list);
    free(decoded);
    free(sheet.pixels);
}

/* A decoded picture alone in its file. */
static Picture reconstruction_of(const char *picture)
{
    ok(run(folder, INFER "encode %s -o end.npy", picture));
    ok(run(folder, INFER "decode end.npy -o end.png"));
    return read_in("end.png");
}

static void a_row_from_one_picture_to_another(void **state)
{
    (void)state;
    ok(run(folder, INFER "interpolate p/0000.png p/0003.png -o row.png"));
    Picture row = read_in("row.png");
    assert_int_equal(row.width, 18 * STEP - GAP);
    assert_int_equal(row.height, SIDE);
    Picture from = reconstruction_of("p/0000.png"), to = reconstruction_of("p/0003.png");
    assert_true(picture_holds(&row, 0, 0, &from));
    assert_true(picture_holds(&row, 17 * STEP, 0, &to));
    for (int i = 1; i < 17; i++) {
        assert_false(picture_holds(&row, i * STEP, 0, &from));
        assert_false(picture_holds(&row, i * STEP, 0, &to));
    }
    free(from.pixels);
    free(to.pixels);
    free(row.pixels);
}

static void the_seed_picks_the_ends(void **state)
{
    (void)state;
    Result one = run(folder, INFER "interpolate p --seed 4 --steps 3 -o a.png");
    Result two = run(folder, INFER "interpolate p --seed 4 --steps 3 -o b.png");
    want_exit(&one, 0);
    want_exit(&two, 0);
    assert_string_equal(one.out, two.out);
    Picture a = read_in("a.png"), b = read_in("b.png");
    assert_int_equal(a.width, 5 * STEP - GAP);
    assert_int_equal(b.width, a.width);
    assert_memory_equal(a.pixels, b.pixels, (size_t)a.width * SIDE * CHANNELS);
    free(a.pixels);
    free(b.pixels);
    bool another = false;
    for (int seed = 5; seed < 15; seed++) {
        Result other = run(folder, INFER "interpolate p --seed %d -o c.png", seed);
        want_exit(&other, 0);
        another = another || strcmp(other.out, one.out) != 0;
        result_free(&other);
    }
    assert_true(another);
    result_free(&one);
    result_free(&two);
}

/* sqrt(mse) of a picture against its 8-bit reconstruction; rounding moves each value by at most
   half of 1/255, so this by no more either. */
static double rms_of(int place)
{
    char *original = text_of("p/%04d.png", place);
    Picture right = read_in(original), ours = reconstruction_of(original);
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE * CHANNELS; i++)
        sum += pow((ours.pixels[i] - right.pixels[i]) / 255.0, 2);
    free(original);
    free(right.pixels);
    free(ours.pixels);
    return sqrt(sum / (SIDE * SIDE * CHANNELS));
}

static void scores_are_sorted(void **state)
{
    (void)state;
    Result result = run(folder, INFER "score p --csv score.csv");
    want_exit(&result, 0);
    assert_int_equal(count_lines(result.out), PICTURES + 2);
    result_free(&result);
    char *path = text_of("%s/score.csv", folder), *csv = file_read(path, NULL);
    assert_int_equal(strncmp(csv, "path,mse,psnr\n", 14), 0);
    assert_int_equal(count_lines(csv), PICTURES + 1);
    double before = INFINITY;
    int seen = 0;
    for (char *line = strchr(csv, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        double mse = field_of(line, 1);
        assert_int_equal(strncmp(line, "p/000", 5), 0);
        assert_true(mse > 0 && mse <= before);
        assert_true(fabs(field_of(line, 2) + 10 * log10(mse)) < 1e-5);
        assert_true(fabs(sqrt(mse) - rms_of(line[5] - '0')) <= 0.5 / 255);
        seen |= 1 << (line[5] - '0');
        before = mse;
    }
    assert_int_equal(seen, (1 << PICTURES) - 1);
    free(path);
    free(csv);
}

/* Three bytes that begin as a JPEG does and then end. */
static void pictures_that_cannot_be_read(void **state)
{
    (void)state;
    char *bad = text_of("%s/bad.jpg", folder), *none = text_of("%s/empty.png", folder);
    file_write(bad, "\xff\xd8\xff", 3);
    file_write(none, "", 0);
    static const char *const commands[] = { "encode p/0000.png %s -o no.npy",
                                            "reconstruct %s -o no.png",
                                            "interpolate p/0000.png %s -o no.png",
                                            "score %s --csv no.csv",
                                            "nearest %s p -o no.png --csv no.csv" };
    static const char *const files[] = { "bad.jpg", "empty.png", "not_there.png" };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        for (int j = 0; j < 3; j++) {
            const char *hole = strstr(commands[i], "%s");
            char *words = text_of("%.*s%s%s", (int)(hole - commands[i]), commands[i], files[j],
                                  hole + 2);
            Result result = run(folder, INFER "%s", words);
            want_refusal(&result, j == 2 ? 3 : 1, files[j]);
            result_free(&result);
            free(words);
        }
    want_none("no.npy");
    want_none("no.png");
    want_none("no.csv");
    free(bad);
    free(none);
}

static void latents_of_another_shape(void **state)
{
    (void)state;
    ok(run(folder, OTHER_TRAIN " --train train --out foreign --steps 1 --batch 4"));
    ok(run(folder,
           WHOLE_BIN "/other-infer --weights foreign/last.safetensors encode p -o foreign.npy"));
    Result result = run(folder, INFER "decode foreign.npy -o no.png");
    want_refusal(&result, 1, "foreign.npy");
    result_free(&result);
    result = run(folder, INFER "decode p/0000.png -o no.png");
    want_refusal(&result, 1, "p/0000.png");
    result_free(&result);
    want_none("no.png");
}

static void weights_that_do_not_fit(void **state)
{
    (void)state;
    char *good = text_of("%s/run/best.safetensors", folder),
         *half = text_of("%s/half.safetensors", folder);
    size_t length;
    char *bytes = file_read(good, &length);
    file_write(half, bytes, length / 2);
    ok(run(folder, OTHER_TRAIN " --train train --out foreign --steps 1 --batch 4"));
    static const struct {
        const char *file;
        int exit_code;
    } cases[] = { { "foreign/last.safetensors", 1 },
                  { "half.safetensors", 1 },
                  { "p/0000.png", 1 },
                  { "none.safetensors", 3 } };
    for (int i = 0; i < 4; i++) {
        Result result = run(folder, SMALL_INFER " --weights %s reconstruct p -o no.png",
                            cases[i].file);
        want_refusal(&result, cases[i].exit_code, cases[i].file);
        result_free(&result);
    }
    want_none("no.png");
    free(bytes);
    free(good);
    free(half);
}

/* A shell's loop that ends when the process of the file "pid" has slept a while, its times and
   faults of pages the same. */
#define ASLEEP                                                                 \
    "until [ -s pid ] && before=$(cat /proc/$(cat pid)/stat) && sleep 0.2 && " \
    "[ \"$before\" = \"$(cat /proc/$(cat pid)/stat)\" ] && "                   \
    "case $before in *') S '*) ;; *) false ;; esac; do :; done"

/* `words` read from the pipe "in" or write to the pipe "out", and get no further: one signal ends
   them, and leaves in the folder "stop" what was there. `other` is what the other end of a pipe
   does before the signal comes. */
static void stopped(const char *words, const char *other, const char *signal, int exit_code)
{
    char *script = text_of(
        "rm -rf stop in out pid && mkdir stop && mkfifo in out && cp p/0000.png stop/old.png && { "
        "timeout -s KILL 200 sh -c 'echo $$ >pid; exec " INFER "%s' & } && "
        "%s && { " ASLEEP "; } && kill -%s $!; wait $!; code=$?; test \"$(ls -A stop)\" = old.png "
        "&& cmp p/0000.png stop/old.png && exit $code",
        words, other, signal);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", script, NULL });
    if (result.exit_code != exit_code
        || strcmp(result.err, "small-infer: stopped by a signal; nothing was written\n") != 0)
        fail_msg("%s: %d, %s%s", words, result.exit_code, result.out, result.err);
    result_free(&result);
    free(script);
}

/* ThreadSanitizer holds signals back until the call that waits returns, so it is not asked. */
static void a_signal_while_it_waits(void **state)
{
    (void)state;
#if defined __SANITIZE_THREAD__
    skip();
#endif
    ok(run(folder, INFER "encode p p p p p p p p p p p p p -o many.npy"));
    static const char *const nobody = ":", *const silent = "exec 3>in",
                             *const cut = "{ exec 3>in; head -c 1000000 many.npy >&3; }";
    stopped("--threads 2 reconstruct in -o stop/new.png", nobody, "TERM", 143);
    stopped("--threads 2 reconstruct p in p -o stop/old.png", silent, "INT", 130);
    /* a part is written */
    stopped("--threads 1 encode p p p in -o stop/z.npy", silent, "TERM", 143);
    stopped("--threads 2 encode p in -o stop/old.png", silent, "TERM", 143);
    stopped("decode in -o stop/new.png", silent, "INT", 130);
    /* pictures are, beside others */
    stopped("--threads 1 decode in -o stop/new", cut, "TERM", 143);
    stopped("--threads 1 decode in -o stop", cut, "INT", 130);
    stopped("score p --csv out", nobody, "TERM", 143);
    stopped("interpolate p/0000.png in -o stop/new.png", silent, "TERM", 143);
}

/* OpenMP's library would end the program with words of its own. Sanitizers lay claim to all address
   space. */
static void threads_that_cannot_be_had(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#else
    static const char *const words[] = { SMALL_INFER " bench --threads 100",
                                         INFER "score p --threads 100",
                                         OTHER_TRAIN " --train train --out none --threads 100" };
    for (int i = 0; i < 3; i++) {
        char *script = text_of("ulimit -v 750000 && exec %s >/dev/null", words[i]);
        Result result = run_words(folder, (const char *const[]){ "sh", "-c", script, NULL });
        want_refusal(&result, 1, ": 100 threads cannot be started: ");
        assert_non_null(strstr(result.err, "; try fewer --threads"));
        result_free(&result);
        free(script);
    }
#endif
}

static void wrong_words(void **state)
{
    (void)state;
    static const char *const words[] = { "",
                                         "dream p",
                                         "--weights run/best.safetensors encode",
                                         "--weights run/best.safetensors encode p",
                                         "reconstruct p -o no.png",
                                         "--weights run/best.safetensors reconstruct p -o no.jpg",
                                         "--weights run/best.safetensors score p --steps 4",
                                         "--weights run/best.safetensors bench --steps",
                                         "--unknown",
                                         "--threads 0 bench" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Result result = run(folder, SMALL_INFER " %s", words[i]);
        want_exit(&result, 2);
        assert_true(result.err_length > 0);
        assert_string_equal(result.out, "");
        result_free(&result);
    }
    want_none("no.png");
    want_none("no.jpg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latents_have_their_shape),
        cmocka_unit_test(decoded_latents_are_the_reconstructions),
        cmocka_unit_test(a_row_from_one_picture_to_another),
        cmocka_unit_test(the_seed_picks_the_ends),
        cmocka_unit_test(scores_are_sorted),
        cmocka_unit_test(pictures_that_cannot_be_read),
        cmocka_unit_test(latents_of_another_shape),
        cmocka_unit_test(weights_that_do_not_fit),
        cmocka_unit_test(a_signal_while_it_waits),
        cmocka_unit_test(threads_that_cannot_be_had),
        cmocka_unit_test(wrong_words),
    };
    return cmocka_run_group_tests_name("whole infer", tests, set_up, tear_down);
}
