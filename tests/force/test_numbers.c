/* Networks whose training diverges: the run stops and says at which step, in which layer and with
   which picture; the state that it kept comes to the same step again, and so does the last good
   checkpoint. A network whose channels die: it is told while that happens, of every layer, and
   inference finds as many dead as were told of. */
#define _POSIX_C_SOURCE 200809L
#include "force.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VAL = 10, PLACES = LATENT_SIDE * LATENT_SIDE };

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 36, 1);
    pictures_write(folder, "val", VAL, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* The message from "the loss" to the picture's name. */
static char *verdict(const Result *result)
{
    const char *from = strstr(result->err, "the loss is not a finite number at step "),
               *to = from ? strstr(from, ": the training has diverged") : NULL;
    want_exit(result, 1);
    if (!to)
        fail_msg("no verdict in %s", result->err);
    return text_of("%.*s", (int)(to - from), from);
}

static void diverges(const char *program, const char *name, const char *layer)
{
    Result result = run(
        folder,
        "%s --train train --out %s --epochs 300 --batch 8 --threads 2 --optimizer sgd,momentum=0.9 "
        "--lr 300 --checkpoint-every 1",
        program, name);
    char *first = verdict(&result), *path = text_of("%s/%s/diagnosis.txt", folder, name),
         *text = file_read(path, NULL);
    assert_int_equal(count_lines(result.err), 1);
    if (!strstr(first, layer) || !strstr(first, ", with 00")
        || !strstr(text, "weights   encoder.conv1.kernel: largest "))
        fail_msg("%s\n%s", first, text);
    result_free(&result);
    /* the state that was kept, and the last good checkpoint, which is the step before */
    for (int i = 0; i < 2; i++) {
        result = run(folder, "%s --train train --out %s%s --resume --epochs 300", program, name,
                     i ? "" : "/diagnosis");
        char *again = verdict(&result);
        assert_string_equal(first, again);
        result_free(&result);
        free(again);
    }
    free(first);
    free(path);
    free(text);
}

static void a_linear_output(void **state)
{
    (void)state;
    diverges(OTHER_TRAIN, "other", ", in the loss, ");
}

static void a_noisy_network(void **state)
{
    (void)state;
    diverges(NOISY_TRAIN, "noisy", ", in ");
}

/* Squares of gradients that overflow while losses, gradients and weights are still finite. A run
   that went on would leave a file that cannot be resumed. */
static void adam_s_state(void **state)
{
    (void)state;
    static const char *const at[] = { "the optimizer's state is not a finite number at step ",
                                      ", in decoder.conv3.kernel, with 00",
                                      "/last.safetensors still holds step " };
    Result result = run(
        folder, SMALL_TRAIN
        " --train train --out adam --steps 20 --batch 8 --threads 2 --optimizer adam --lr 6 "
        "--checkpoint-every 1");
    want_exit(&result, 1);
    for (int i = 0; i < 3; i++)
        if (!strstr(result.err, at[i]))
            fail_msg("\"%s\" is not in %s", at[i], result.err);
    char *first = text_of("%s", strstr(result.err, at[0])),
         *path = text_of("%s/adam/diagnosis.txt", folder), *text = file_read(path, NULL);
    assert_non_null(strstr(text, "tensor    the optimizer's state of decoder.conv3.kernel\n"));
    result_free(&result);
    /* the last good checkpoint, which is the step before */
    result = run(folder, SMALL_TRAIN " --train train --out adam --resume --steps 20");
    want_exit(&result, 1);
    assert_string_equal(strstr(result.err, at[0]), first);
    result_free(&result);
    free(first);
    free(path);
    free(text);
}

/* How many channels of small's latent are 0 everywhere, by inference; the file's last numbers are
   [VAL, 6, 6, 128]. */
static int dead_in_the_latent(const char *weights)
{
    size_t length;
    int dead = 0;
    char *script = text_of(SMALL_INFER " --weights %s encode val/* -o latent.npy", weights),
         *path = text_of("%s/latent.npy", folder);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", script, NULL });
    want_exit(&result, 0);
    char *bytes = file_read(path, &length);
    const char *values = bytes + length - sizeof(float) * VAL * PLACES * LATENT_CHANNELS;
    assert_true(values > bytes);
    for (int c = 0; c < LATENT_CHANNELS; c++) {
        int alive = 0;
        for (int i = 0; i < VAL * PLACES; i++) {
            float value;
            memcpy(&value, values + sizeof(float) * (size_t)(i * LATENT_CHANNELS + c),
                   sizeof value);
            alive |= value != 0;
        }
        dead += !alive;
    }
    result_free(&result);
    free(script);
    free(path);
    free(bytes);
    return dead;
}

/* The number that the last line about a layer tells; 0: there is none. */
static int told_dead(const char *words, const char *layer)
{
    int dead = 0;
    for (const char *at = words; (at = strstr(at, layer)) != NULL; at++)
        if (sscanf(at + strlen(layer), ": %d of", &dead) != 1)
            sscanf(at + strlen(layer), " is dead: all its %d", &dead);
    return dead;
}

static void a_dying_network(void **state)
{
    (void)state;
    static const char *const layers[] = { "encoder.conv1", "encoder.conv2", "encoder.conv3",
                                          "decoder.conv1", "decoder.conv2", "decoder.conv3" };
    Result result = run(
        folder, SMALL_TRAIN
        " --train train --val val --out dying --epochs 3 --batch 8 --threads 2 --optimizer "
        "sgd,momentum=0.9 --lr 1");
    want_exit(&result, 0);
    for (int i = 0; i < 6; i++)
        if (told_dead(result.out, layers[i]) == 0)
            fail_msg("nothing is told of %s: %s", layers[i], result.out);
    /* while it happens */
    assert_true(strstr(result.out, " dead") < strstr(result.out, "Epoch 2/3"));
    assert_non_null(strstr(result.out, "0 for each of 10 pictures"));
    assert_int_equal(told_dead(result.out, "encoder.conv3"),
                     dead_in_the_latent("dying/last.safetensors"));
    result_free(&result);
    result = run(folder, SMALL_TRAIN
                 " --train train --val val --out living --epochs 3 --batch 8 --threads 2");
    want_exit(&result, 0);
    assert_int_equal(told_dead(result.out, "encoder.conv3"),
                     dead_in_the_latent("living/last.safetensors"));
    result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_linear_output),
                                        cmocka_unit_test(a_noisy_network),
                                        cmocka_unit_test(adam_s_state),
                                        cmocka_unit_test(a_dying_network) };
    return cmocka_run_group_tests_name("force numbers", tests, set_up, tear_down);
}
