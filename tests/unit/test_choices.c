/* Optimizers and schedules are known twice: to the graph language (ops/) and to the command line
   (runtime/settings.h). Both must say the same. */
#include "ops/ops.h"

/* Both sides have exit codes of their own: of the runtime's errors the name is enough here. */
#define CAEC_ERROR_H
typedef struct Error Error;
#include "settings.h"

#include "cases.h"
#include "files.h"
#include "naive.h"
#include "process.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The place by which the runtime names a number; 0: there is none. */
static size_t place_of(const SettingsWord *word, const char *name)
{
    const SettingsNumber *number = word->numbers;
    if (!name)
        return 0;
    while (number->name && strcmp(number->name, name) != 0)
        number++;
    assert_non_null(number->name);
    return number->offset;
}

static void want_same_states(const ChoiceSpec *spec, const SettingsWord *word)
{
    int n = 0;
    for (; spec->states[n].name; n++) {
        assert_true(n < SETTINGS_STATES && word->states[n].name);
        assert_string_equal(spec->states[n].name, word->states[n].name);
        assert_int_equal(word->states[n].offset, place_of(word, spec->states[n].where));
        assert_int_equal(word->states[n].start, place_of(word, spec->states[n].start));
    }
    assert_null(word->states[n].name);
}

static void want_same(const ChoiceSpec *const *specs, const SettingsWord *words)
{
    int count = 0;
    for (; specs[count]; count++) {
        const ChoiceSpec *spec = specs[count];
        const SettingsWord *word = &words[count];
        assert_non_null(word->name);
        assert_string_equal(spec->word, word->name);
        int n = 0;
        for (; spec->args[n].name; n++) {
            const ArgSpec *a = &spec->args[n];
            const SettingsNumber *b = &word->numbers[n];
            assert_non_null(b->name);
            assert_string_equal(a->name, b->name);
            const SettingsKind kind = a->kind == ARG_INT    ? SETTINGS_WHOLE
                                      : a->kind == ARG_BOOL ? SETTINGS_FLAG
                                                            : SETTINGS_REAL;
            assert_int_equal(kind, b->kind);
            assert_true(a->number == b->number);
            assert_true(kind == SETTINGS_FLAG || (a->min == b->min && a->max == b->max));
        }
        assert_null(word->numbers[n].name);
        want_same_states(spec, word);
    }
    assert_null(words[count].name);
    assert_true(count > 2);
}

/* What a loss is held against; the fuzzer draws from the same list. */
static void losses(void **state)
{
    (void)state;
    int count = 0;
    for (; loss_specs[count]; count++) {
        assert_non_null(naive_loss_name(count));
        assert_string_equal(loss_specs[count]->word, naive_loss_name(count));
    }
    assert_null(naive_loss_name(count));
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void optimizers(void **state)
{
    (void)state;
    want_same(optimizer_specs, settings_optimizers);
    /* --lr and schedules set it, whichever it is */
    for (const SettingsWord *word = settings_optimizers; word->name; word++) {
        assert_string_equal(word->numbers[0].name, "lr");
        assert_true(word->numbers[0].max == settings_optimizers[0].numbers[0].max);
    }
}

/* What the graph's training table takes is what the command line and checkpoints take. */
static void bounds_of_training(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        int most;
    } numbers[] = { { "batch = ", "", SETTINGS_MAX_BATCH },
                    { "epochs = ", "", SETTINGS_MAX_EPOCHS },
                    { "early_stopping = { patience = ", " }", SETTINGS_MAX_PATIENCE } };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (int more = 0; more < 2; more++) {
            char *graph = text_of("return autoencoder \"net\" { input = { 4, 4, 3 },\n"
                                  "encoder = sequential \"e\" { relu {} },\n"
                                  "decoder = sequential \"d\" { conv2d { filters = 3, kernel = 1 } "
                                  "},\ntraining = { %s%d%s } }\n",
                                  numbers[i].before, numbers[i].most + more, numbers[i].after);
            file_write(path, graph, strlen(graph));
            Result result = run_caec(folder, "net.lua --summary");
            want_exit(&result, more);
            result_free(&result);
            free(graph);
        }
    free(path);
    folder_remove(folder);
}

static void schedules(void **state)
{
    (void)state;
    want_same(schedule_specs, settings_schedules);
}

/* Whether the text has the word by itself: not as a part of another, as mse in mse_dx. */
static bool has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !is_letter(at[-1])) && !is_letter(at[n]))
            return true;
    return false;
}

static void want_word(const char *text, const char *file, const char *word)
{
    if (!has_word(text, word))
        fail_msg("%s does not name %s", file, word);
}

static char *project_text(const char *file)
{
    char *path = text_of("%s/%s", project_folder(), file), *text = file_read(path, NULL);
    free(path);
    return text;
}

static void the_manual_names_every_word(void **state)
{
    (void)state;
    char *layers = project_text("graphs/README.md"), *training = project_text("README.md");
    for (int i = 0; layer_specs[i]; i++)
        want_word(layers, "graphs/README.md", layer_specs[i]->word);
    for (int i = 0; loss_specs[i]; i++)
        want_word(training, "README.md", loss_specs[i]->word);
    for (int i = 0; optimizer_specs[i]; i++)
        want_word(training, "README.md", optimizer_specs[i]->word);
    for (int i = 0; schedule_specs[i]; i++)
        want_word(training, "README.md", schedule_specs[i]->word);
    free(layers);
    free(training);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(optimizers), cmocka_unit_test(schedules),
                                        cmocka_unit_test(losses),
                                        cmocka_unit_test(bounds_of_training),
                                        cmocka_unit_test(the_manual_names_every_word) };
    return cmocka_run_group_tests_name("choices", tests, NULL, NULL);
}
