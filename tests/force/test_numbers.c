/* Networks whose training diverges: the run stops and says at which step, in which layer and with which picture; the state that it kept comes to the same
   step again, and so does the last good checkpoint. */
#define _POSIX_C_SOURCE 200809L
#include "force.h"

#include <stdlib.h>
#include <string.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 36, 1);
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
    const char *from = strstr(result->err, "the loss is not a finite number at step "), *to = from ? strstr(from, ": the training has diverged") : NULL;
    want_exit(result, 1);
    if (!to)
        fail_msg("no verdict in %s", result->err);
    return text_of("%.*s", (int)(to - from), from);
}

static void diverges(const char *program, const char *name, const char *layer)
{
    Result result = run(folder, "%s --train train --out %s --epochs 300 --batch 8 --threads 2 --optimizer sgd,momentum=0.9 --lr 300 --checkpoint-every 1",
                        program, name);
    char *first = verdict(&result), *path = text_of("%s/%s/diagnosis.txt", folder, name), *text = file_read(path, NULL);
    assert_int_equal(count_lines(result.err), 1);
    if (!strstr(first, layer) || !strstr(first, ", with 00") || !strstr(text, "weights   encoder.conv1.kernel: largest "))
        fail_msg("%s\n%s", first, text);
    result_free(&result);
    for (int i = 0; i < 2; i++) {               /* the state that was kept, and the last good checkpoint, which is the step before */
        result = run(folder, "%s --train train --out %s%s --resume --epochs 300", program, name, i ? "" : "/diagnosis");
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_linear_output), cmocka_unit_test(a_noisy_network) };
    return cmocka_run_group_tests_name("force numbers", tests, set_up, tear_down);
}
