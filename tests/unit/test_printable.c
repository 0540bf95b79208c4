/* What is printed of a text from outside, and that nothing goes around it. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "cases.h"
#include "files.h"

#include "../runtime/formats/printable.h"

#include <stdlib.h>
#include <string.h>

static void lines(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "plain text, ~", "plain text, ~" },
        { "a\tb\nc\rd\033[31m\x7f", "a?b?c?d?[31m?" },
        { "caf\303\251 \346\227\245 \360\237\230\200",
          "caf\303\251 \346\227\245 \360\237\230\200" },
        /* C1, then a space that passes */
        { "\302\200\302\233\302\237\302\240", "???\302\240" },
        { "\233[31m \200\377", "?[31m ??" }, /* bytes alone */
        /* overrides and isolates */
        { "a\342\200\256b\342\200\254\342\201\246\342\201\251", "a?b???" },
        /* marks of direction */
        { "\342\200\216\342\200\217\330\234", "???" },
        /* separators of lines */
        { "\342\200\250\342\200\251\342\200\247", "??\342\200\247" },
        /* a newline spelled too long */
        { "\300\212 \340\200\212 \360\200\200\212", "?? ??? ????" },
        /* a surrogate; past the last one */
        { "\355\240\200\364\220\200\200\365\200\200\200", "??????" },
        { "\303(\346\227", "?(??" }, /* cut short */
        { "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[100];
        strcpy(line, cases[i][0]);
        printable_line(line);
        assert_string_equal(line, cases[i][1]);
        assert_int_equal(printable_is(cases[i][0]), strcmp(cases[i][0], cases[i][1]) == 0);
    }
}

static void want_written(void (*write)(FILE *stream, const char *text), const char *text,
                         const char *wanted)
{
    char *written = NULL;
    size_t size;
    FILE *stream = open_memstream(&written, &size);
    assert_non_null(stream);
    write(stream, text);
    fclose(stream);
    assert_string_equal(written, wanted);
    free(written);
}

static void fields_and_elements(void **state)
{
    (void)state;
    want_written(printable_put, "a\nb\233,\"", "a?b?,\"");
    want_written(printable_field, "a\nb\233", "a?b?");
    want_written(printable_field, "a,\033\"b\"\r\n", "\"a,?\"\"b\"\"??\"");
    want_written(printable_xml, "<a b=\"c\">&\033</a>\303\251",
                 "&lt;a b=&quot;c&quot;&gt;&amp;?&lt;/a&gt;\303\251");
}

static void want_no_call(const char *folder, const char *function)
{
    char *root = text_of("%s/%s", project_folder(), folder);
    FileList list = files_below(root);
    assert_true(list.count > 50);
    for (int i = 0; i < list.count; i++) {
        size_t n = strlen(list.path[i]);
        if (n < 2 || strcmp(list.path[i] + n - 2, ".c") != 0
            || strcmp(list.path[i], "formats/usage.c") == 0)
            continue;
        char *path = text_of("%s/%s", root, list.path[i]), *text = file_read(path, NULL);
        if (strstr(text, function))
            fail_msg(
                "%s/%s calls %s, which prints what it is given: formats/usage.h has what does not",
                folder, list.path[i], function);
        free(path);
        free(text);
    }
    file_list_free(&list);
    free(root);
}

/* argp and perror would write words of the command line as they are. */
static void nothing_goes_around(void **state)
{
    (void)state;
    static const char *const functions[] = { "argp_error(", "argp_failure(", "argp_parse(",
                                             "perror(" };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        want_no_call("compiler", functions[i]);
        want_no_call("runtime", functions[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines),
                                        cmocka_unit_test(fields_and_elements),
                                        cmocka_unit_test(nothing_goes_around) };
    return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
