/* What README.md shows is what the programs print and caec writes, and what it links to is
   there. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <stdlib.h>
#include <string.h>

static char *folder, *readme;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    char *path = text_of("%s/README.md", project_folder());
    readme = file_read(path, NULL);
    free(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(readme);
    folder_remove(folder);
    return 0;
}

/* The next block of README.md that begins with the fence, from *at on; NULL after the last. To be
   freed. */
static char *next_block(const char **at, const char *fence)
{
    const char *begin = strstr(*at, fence);
    if (!begin)
        return NULL;
    begin += strlen(fence);
    const char *end = strstr(begin, "\n```");
    assert_non_null(end);
    *at = end + 4;
    return text_of("%.*s\n", (int)(end - begin), begin);
}

static void the_tables_of_layers(void **state)
{
    (void)state;
    const char *at = readme;
    char *shown = next_block(&at, "\n```text\n");
    assert_non_null(shown);
    Result result = run_caec(NULL, "%s/graphs/cae.lua --summary", project_folder());
    want_exit(&result, 0);
    assert_int_equal(strncmp(result.out, shown, strlen(shown)), 0);
    result_free(&result);
    free(shown);
}

/* Every block of C stands as it is in some file that caec writes for AVX2. */
static void the_excerpts_of_c(void **state)
{
    (void)state;
    Result result = run_caec(folder, "%s/graphs/cae.lua --target x86-64-v3 --no-runtime -o .",
                             project_folder());
    want_exit(&result, 0);
    result_free(&result);
    char *model = text_of("%s/cae", folder);
    FileList list = files_below(model);
    int blocks = 0;
    const char *at = readme;
    for (char *block; (block = next_block(&at, "\n```c\n")) != NULL; blocks++) {
        bool found = false;
        for (int i = 0; i < list.count && !found; i++) {
            char *path = text_of("%s/%s", model, list.path[i]), *text = file_read(path, NULL);
            found = strstr(text, block) != NULL;
            free(path);
            free(text);
        }
        if (!found)
            fail_msg("README.md shows what caec does not write any more:\n%s", block);
        free(block);
    }
    assert_true(blocks >= 2);
    file_list_free(&list);
    free(model);
}

/* Markdown's ](path) or ](path#heading), other than addresses and what caec itself writes. */
static void the_links(void **state)
{
    (void)state;
    int links = 0;
    for (const char *at = readme; (at = strstr(at, "](")) != NULL; links++) {
        at += 2;
        char *path = text_of("%s/%.*s", project_folder(), (int)strcspn(at, ")#"), at);
        if (strncmp(at, "http", 4) != 0 && strncmp(at, "generated/", 10) != 0 && !file_exists(path))
            fail_msg("README.md links to %s, which is not there", path);
        free(path);
    }
    assert_true(links > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_of_layers),
        cmocka_unit_test(the_excerpts_of_c),
        cmocka_unit_test(the_links),
    };
    return cmocka_run_group_tests_name("whole README", tests, set_up, tear_down);
}
