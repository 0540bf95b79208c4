/* Networks of 2 and 4 channels, which no picture file has: folders of pictures are refused at once,
   and everything that needs none works. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *train, *infer, *refusal, *reference;
} nets[] = {
    { TWO_TRAIN, TWO_INFER, "the network two takes images of 2 channels; picture files have 1 or 3",
      "small_valid" },
    { FOUR_TRAIN, FOUR_INFER,
      "the network four takes images of 4 channels; picture files have 1 or 3", "small_four" },
};
enum { NETS = sizeof nets / sizeof nets[0] };

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 3, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void folders_of_pictures_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = { "--train train --out run",
                                         "--train train --val train --out run",
                                         "--train nowhere --out run",
                                         "--train train --out run --resume", "pictures --out run" };
    char *run_folder = text_of("%s/run", folder);
    for (int i = 0; i < NETS; i++)
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            Result result = run(folder, "%s %s", nets[i].train, words[w]);
            want_refusal(&result, 1, nets[i].refusal);
            result_free(&result);
            assert_false(file_exists(run_folder));
        }
    free(run_folder);
}

/* What such a run leaves can be looked at, and its weights are as useless for files of pictures. */
static void built_in_pictures_will_do(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        Result result = run(folder, "%s --out built%d --epochs 2 --mirror --threads 2",
                            nets[i].train, i);
        want_exit(&result, 0);
        assert_non_null(
            strstr(result.out,
                   "no --train: learning from 1024 built-in pictures, validating on 256 others"));
        assert_string_equal(result.err, "");
        result_free(&result);
        char *path = text_of("%s/built%d/samples/epoch_002.png", folder, i);
        Picture sheet = picture_read(path);
        assert_true(sheet.width > 8 * 8 && sheet.height > 2 * 8);
        free(sheet.pixels);
        free(path);
        result = run(folder,
                     "%s --weights built%d/best.safetensors reconstruct train/1024.png -o out.png",
                     nets[i].infer, i);
        want_refusal(&result, 1, nets[i].refusal);
        result_free(&result);
    }
}

static void bench_and_verify_work(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        Result result = run(folder, "%s bench --batch 6 --steps 2 --threads 2", nets[i].train);
        want_exit(&result, 0);
        result_free(&result);
        result = run(folder, "%s bench --threads 2", nets[i].infer);
        want_exit(&result, 0);
        result_free(&result);
        result = run(folder, "%s verify %s/tests/reference/nets/%s.safetensors", nets[i].train,
                     project_folder(), nets[i].reference);
        want_exit(&result, 0);
        result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_of_pictures_are_refused),
        cmocka_unit_test(built_in_pictures_will_do),
        cmocka_unit_test(bench_and_verify_work),
    };
    return cmocka_run_group_tests_name("whole channels", tests, set_up, tear_down);
}
