/* Output that is committed, so that a reviewer sees what a change to a text or a plan does to it.
 * After a change that is meant: sh tests/golden/refresh.sh */
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH "after an intended change: sh tests/golden/refresh.sh\n"

static void the_specimen_is_fresh(void **state)
{
    (void)state;
    char *folder = folder_new(), *made = text_of("%s/cae", folder),
         *kept = text_of("%s/generated/x86-64-v3/cae", project_folder());
    if (!file_exists(kept))
        fail_msg("there is no generated/x86-64-v3/cae: sh tests/golden/refresh.sh");
    Result result = run_caec(project_folder(), "graphs/cae.lua --target x86-64-v3 -o %s", folder);
    want_exit(&result, 0);
    print_message(REFRESH);
    want_same_files(kept, made);
    result_free(&result);
    free(made);
    free(kept);
    folder_remove(folder);
}

static void check_text(const char *file, const char *words)
{
    char *path = text_of("%s/tests/golden/%s", project_folder(), file),
         *kept = file_read(path, NULL);
    Result result = run_caec(project_folder(), "%s", words);
    want_exit(&result, 0);
    if (strcmp(result.out, kept) != 0)
        fail_msg("caec %s is no longer what tests/golden/%s holds; " REFRESH "%s", words, file,
                 result.out);
    result_free(&result);
    free(kept);
    free(path);
}

/* The numbers are those of Keras for this network: 93,248 and 166,467 parameters. */
static void the_summary(void **state)
{
    (void)state;
    check_text("cae_summary.txt", "graphs/cae.lua --summary");
    char *path = text_of("%s/tests/golden/cae_summary.txt", project_folder()),
         *kept = file_read(path, NULL);
    static const char *const rows[] = {
        "(None, 224, 224, 32)        896\n",
        "(None, 112, 112, 64)        18496\n",
        "(None, 56, 56, 128)         73856\n",
        "(None, 28, 28, 128)         147584\n",
        "(None, 56, 56, 16)          18448\n",
        "(None, 112, 112, 3)         435\n",
        "Total params: 93,248\n",
        "Total params: 166,467\n",
        "259,715 parameters\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strstr(kept, rows[i]))
            fail_msg("no %s in the summary", rows[i]);
    free(kept);
    free(path);
}

/* Names, attributes and defaults; those of layers stand in graphs/README.md too. */
static void the_words(void **state)
{
    (void)state;
    check_text("words.txt", "--list ops");
    char *path = text_of("%s/graphs/README.md", project_folder()), *table = file_read(path, NULL);
    Result result = run_caec(NULL, "--list ops");
    int layers = 0;
    for (char *line = result.out, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (strncmp(line, "layer ", 6) != 0)
            continue;
        const char *word = line + 6 + strspn(line + 6, " "), *args = strstr(word, " { ");
        int length = (int)strcspn(word, " ");
        layers++;
        char *row = args ? text_of("\n| `%.*s` | `%.*s` | ", length, word, (int)strlen(args) - 5,
                                   args + 3)
                         : text_of("\n| `%.*s` | | ", length, word);
        if (!strstr(table, row))
            fail_msg("graphs/README.md has no row%s", row);
        free(row);
    }
    assert_true(layers > 30);
    result_free(&result);
    free(table);
    free(path);
}

static void expanded_kernels(void **state)
{
    (void)state;
    check_text("conv_direct_forward.c.txt",
               "--expand conv_direct H=8 W=8 CI=3 CO=8 K=3 POOL=2 --target x86-64-v3");
    check_text("conv_plain_dx.c.txt",
               "--expand conv_plain H=8 W=8 CI=3 CO=8 K=3 DIRECTION=1 --target c");
}

/* What the planner decides of steps, kernels and memory: training within a limit, row by row, in
   groups of images, in stages, with skips. */
static void plans(void **state)
{
    (void)state;
    check_text(
        "plan_limited.txt",
        "graphs/cae.lua --target x86-64-v3 --memory-limit 10M --dump plan --memory --stop-after "
        "plan");
    check_text("plan_threads.txt",
               "graphs/cae.lua --target x86-64-v3 --memory-limit 66M --memory --stop-after plan");
    check_text(
        "plan_stream.txt",
        "graphs/cae.lua --target x86-64-v3 --emit library --stream --no-training --dump plan "
        "--memory --stop-after plan");
    check_text("plan_microbatch.txt",
               "graphs/dense_ae.lua --target x86-64-v3 --dump plan --memory --stop-after plan");
    check_text("plan_microbatch_plain.txt",
               "graphs/dense_ae.lua --target c --dump plan --stop-after plan");
    check_text(
        "plan_microbatch_least.txt",
        "graphs/dense_ae.lua --target x86-64-v3 --memory-limit 4120K --memory --stop-after plan");
    check_text(
        "plan_microbatch_limited.txt",
        "graphs/dense_ae.lua --target x86-64-v3 --memory-limit 4500K --memory --stop-after plan");
    check_text("plan_stages.txt",
               "graphs/stacked_cae.lua --target x86-64-v3 --dump plan --stop-after plan");
    check_text(
        "plan_stages_least.txt",
        "graphs/stacked_cae.lua --target x86-64-v3 --memory-limit 7000K --dump plan --stop-after "
        "plan");
    check_text(
        "plan_stages_limited.txt",
        "graphs/stacked_cae.lua --target x86-64-v3 --memory-limit 12M --memory --stop-after plan");
    check_text("plan_skips.txt",
               "graphs/unet_ae.lua --target x86-64-v3 --memory --stop-after plan");
    check_text("plan_unpool.txt",
               "graphs/cae_unpool.lua --target x86-64-v3 --memory --stop-after plan");
    check_text("gradient_skips.txt",
               "graphs/unet_ae.lua --dump differentiate --stop-after differentiate");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_specimen_is_fresh),
                                        cmocka_unit_test(the_summary), cmocka_unit_test(the_words),
                                        cmocka_unit_test(expanded_kernels),
                                        cmocka_unit_test(plans) };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
