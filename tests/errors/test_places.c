/* What stands under a message: the source line, of a long one the part around the place, and the
   caret. */
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* What caec says of the graph, to the byte. */
static void want_said(const char *graph, const char *said)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --summary");
    want_exit(&result, 1);
    assert_string_equal(result.err, said);
    result_free(&result);
    free(path);
    folder_remove(folder);
}

static void up_to_200_bytes_as_they_stand(void **state)
{
    (void)state;
    want_said(
        "local s = \"" HUNDRED
        "0123456789012345678901234567890123456789012345678901234567890123456789012\" x()\n",
        "net.lua:1:187: error: unknown word 'x'\n"
        "    1 | local s = \"" HUNDRED
        "0123456789012345678901234567890123456789012345678901234567890123456789012\" x()\n"
        "      |           "
        "                                                                                          "
        "          "
        "                                                                            "
        "^\n");
}

/* In the middle: 99 bytes before the place, 101 from it on. */
static void a_word_in_the_middle(void **state)
{
    (void)state;
    want_said(
        "local s = \"" HUNDRED HUNDRED "\" x() --" HUNDRED HUNDRED "\n",
        "net.lua:1:214: error: unknown word 'x'\n"
        "    1 | ...3456789" TEN TEN TEN TEN TEN TEN TEN TEN TEN
        "\" x() --" TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234...\n"
        "      |    "
        "                                                                                          "
        "         "
        "^\n");
}

static void a_word_near_the_end(void **state)
{
    (void)state;
    want_said(
        "local s = \"" HUNDRED HUNDRED "\" x()\n",
        "net.lua:1:214: error: unknown word 'x'\n"
        "    1 | ...56789" TEN TEN TEN TEN TEN TEN TEN TEN TEN HUNDRED "\" x()\n"
        "      |    "
        "     "
        "                                                                                          "
        "                                                                                          "
        "          "
        "  "
        "^\n");
}

/* 200 bytes from the first on. */
static void a_word_at_the_start(void **state)
{
    (void)state;
    want_said("x() --" HUNDRED HUNDRED "\n",
              "net.lua:1:1: error: unknown word 'x'\n"
              "    1 | x() --" HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123...\n"
              "      | ^\n");
}

/* No half of a character at the edges: the window of 200 bytes would begin and end inside a letter
   of two. */
static void characters_stay_whole(void **state)
{
    (void)state;
    static const char letter[] = "\xc3\xa9";
    char many[2 * 150 + 1] = "", seen[2 * 49 + 1] = "", behind[2 * 47 + 1] = "";
    for (int i = 0; i < 150; i++)
        strcat(many, letter);
    for (int i = 0; i < 49; i++)
        strcat(seen, letter);
    for (int i = 0; i < 47; i++)
        strcat(behind, letter);
    char *graph = text_of("local s = \"%s\"x() --%s\n", many, many);
    char *said = text_of(
        "net.lua:1:313: error: unknown word 'x'\n    1 | ...%s\"x() --%s...\n      |    %*s^\n",
        seen, behind, 99, "");
    want_said(graph, said);
    free(said);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_200_bytes_as_they_stand), cmocka_unit_test(a_word_in_the_middle),
        cmocka_unit_test(a_word_near_the_end),           cmocka_unit_test(a_word_at_the_start),
        cmocka_unit_test(characters_stay_whole),
    };
    return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
