/* Operators say what they are: outside ops/ and kernels/ none is known by name. */
#include "front/other_words.h"
#include "ops/ops.h"

#include "cases.h"
#include "files.h"
#include "process.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Names that are ordinary words, too. */
static const char *const ordinary_words[] = { "input", "parameter", NULL };

/* Its graph is one that a user could have written, in the language's words. */
static const char writes_a_graph[] = "front/sample.c";

static bool is_among(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool is_of_the_room(const char *path)
{
    return strncmp(path, "ops/", 4) == 0 || strncmp(path, "kernels/", 8) == 0;
}

/* Whether what stands there is the whole of a word. */
static bool ends_a_word(const char *text, const char *at, size_t length)
{
    return (at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'))
           && !(isalnum((unsigned char)at[length]) || at[length] == '_');
}

static bool has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if (ends_a_word(text, at, length))
            return true;
    return false;
}

/* Comments may name any. */
static void blank_comments(char *text)
{
    for (char *at = strstr(text, "/*"); at; at = strstr(at, "/*")) {
        const char *end = strstr(at, "*/");
        memset(at, ' ', end ? (size_t)(end + 2 - at) : strlen(at));
    }
}

/* How the text knows the operator: by a string or by its symbol; NULL: it does not. */
static char *known_as(const char *text, const char *op)
{
    char *forms[] = { text_of("\"%s\"", op), text_of("'%s'", op), text_of("op_%s", op) };
    char *found = NULL;
    for (int i = 0; i < 3; i++) {
        bool known = i < 2 ? !is_among(op, ordinary_words) && strstr(text, forms[i])
                           : has_word(text, forms[i]);
        if (known && !found)
            found = forms[i];
        else
            free(forms[i]);
    }
    return found;
}

static void no_room_knows_an_operator_by_name(void **state)
{
    (void)state;
    char *root = text_of("%s/compiler", project_folder());
    FileList list = files_below(root);
    int files = 0, ops = 0;
    for (int i = 0; i < list.count; i++) {
        const char *end = strrchr(list.path[i], '.');
        if (is_of_the_room(list.path[i]) || strcmp(end ? end : "", ".md") == 0
            || strcmp(list.path[i], writes_a_graph) == 0)
            continue;
        char *path = text_of("%s/%s", root, list.path[i]), *text = file_read(path, NULL);
        blank_comments(text);
        files++;
        for (ops = 0; all_ops[ops]; ops++) {
            const char *known = known_as(text, all_ops[ops]->name);
            if (known)
                fail_msg("compiler/%s knows %s; give what it asks for a name in Op (ir/graph.h)",
                         list.path[i], known);
        }
        free(path);
        free(text);
    }
    file_list_free(&list);
    free(root);
    assert_true(files > 60 && ops > 50);
}

static void names_are_found(void **state)
{
    (void)state;
    static const char *const knows[] = { "node->op == &op_add)", "is(\"add\")", "op == 'add'" },
                             *const does_not[] = { "&op_adder", "add(x)", "loop_add()" };
    for (int i = 0; i < 3; i++) {
        char *found = known_as(knows[i], "add");
        assert_non_null(found);
        free(found);
        assert_null(known_as(does_not[i], "add"));
    }
}

/* What others rely on: a gradient says of what; by-products and gradients are no words. */
static void gradients_say_of_what(void **state)
{
    (void)state;
    int gradients = 0;
    for (int i = 0; all_ops[i]; i++) {
        const Op *op = all_ops[i], *of = op->gradient_of;
        assert_int_equal(of != NULL, op->direction != DIRECTION_FORWARD);
        if (of || op->by_product_of)
            assert_null(layer_find(op->name));
        if (!of)
            continue;
        gradients++;
        if (strncmp(op->name, of->name, strlen(of->name)) != 0)
            fail_msg("%s is no gradient of %s", op->name, of->name);
        assert_non_null(of->gradient);
        assert_int_equal(op->role, ROLE_ALONE);
    }
    assert_true(gradients > 15);
}

/* What caec's build says of a row beside the others. */
static void want_refused(const char *row, const char *why)
{
    char *folder = folder_new(), *rows = text_of("%s/rows.def", folder),
         *ops = text_of("%s/compiler/ops", project_folder());
    file_write(rows, row, strlen(row));
    Result made = run(
        folder, "%s -std=c11 -w -DELEMENTWISE_ROWS=\"%s\" %s/check_elementwise.c -o check -lm",
        c_compiler(), rows, ops);
    if (made.exit_code == 0) {
        result_free(&made);
        made = run(folder, "./check");
    }
    if (*why ? made.exit_code == 0 || !strstr(made.err, why) : made.exit_code != 0)
        fail_msg("%swants \"%s\", got exit code %d: %s", row, why, made.exit_code, made.err);
    result_free(&made);
    free(rows);
    free(ops);
    folder_remove(folder);
}

static void rows_that_break_the_rules(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "NONE, FROM_Y, MONOTONE, tanh(x), d * (1 - y * y)", "" },
        { "NONE, FROM_Y, 0, x * x, d * y", "say FROM_X" },
        { "NONE, FROM_Y, MONOTONE, x * x, 2 * d * sqrt(y)", "is not MONOTONE" },
        { "NONE, FROM_Y, MONOTONE, tanh(x), d * (1 - x * x)", "undeclared" },
        { "NONE, FROM_X, 0, x * x, 2 * d * y", "undeclared" },
        { "NONE, FROM_X, 0, slope * x, d", "undeclared" },
        { "NONE, FROM_X, 0, x * x, d * x", "has another gradient" },
        { "NONE, FROM_X, 0, x * x,", "gradient is missing" },
        { "NONE, FROM_X, 0, , d", "value is missing" },
        { "NONE, FROM_X, 32, x, d", "no such property" },
        { "NONE, FROM_X, ROUND, x, d", "undeclared" },
        { "NONE, FROM_Z, 0, x, d", "FROM_Z" },
        { "OTHER, FROM_X, 0, x, d", "OTHER" },
        { "NONE, FROM_Y, MONOTONE, x > 0 ? x : 0, y > 0 ? d : 0", "is flat, which it does not" },
        { "NONE, FROM_Y, MONOTONE + ZERO_BELOW, x, d", "is not 0 below" },
        { "NONE, FROM_Y, MONOTONE + FLAT_ABOVE, x, d", "is not flat" },
        { "NONE, FROM_Y, MONOTONE + UNIT_RANGE, tanh(x), d * (1 - y * y)", "UNIT_RANGE" },
        { "NONE, FROM_X, 0, x / (1 + exp(-x)) * exp(-x) * 0, 0", "is not a number" },
        { "NONE, FROM_X, 0, exp(-x * x), d * -2 * (x * x) * (exp(-x * x) / x)", "gradient is not" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *row = text_of("ELEMENTWISE(row, %s)\n", wrong[i][0]);
        want_refused(row, wrong[i][1]);
        free(row);
    }
}

/* Each row can be met: no word of ours is in its place, and none before it. */
static void words_of_others_are_not_ours(void **state)
{
    (void)state;
    int said = 0;
    for (const OtherWord *o = other_words; o->name; o++) {
        assert_int_equal(strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(o->name));
        for (const OtherWord *before = other_words; before < o; before++)
            assert_string_not_equal(before->name, o->name);
        const OtherWord *found = other_word_find(o->name);
        if (found)
            assert_ptr_equal(found, o);
        assert_true(found || other_word_is_said(o));
        said += found && other_word_is_said(o);
    }
    assert_true(said > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_room_knows_an_operator_by_name),
                                        cmocka_unit_test(names_are_found),
                                        cmocka_unit_test(gradients_say_of_what),
                                        cmocka_unit_test(rows_that_break_the_rules),
                                        cmocka_unit_test(words_of_others_are_not_ours) };
    return cmocka_run_group_tests_name("operators", tests, NULL, NULL);
}
