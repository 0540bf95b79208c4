/* Optimizers and schedules are known twice: to the graph language (ops/) and to the command line
   (runtime/settings.h). Both must say the same. */
#include "ops/ops.h"

/* Both sides have exit codes of their own: of the runtime's errors the name is enough here. */
#define CAEC_ERROR_H
typedef struct Error Error;
#include "settings.h"

#include "cases.h"

#include <string.h>

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
            assert_true(a->number == b->number && a->min == b->min && a->max == b->max);
            assert_int_equal(a->kind == ARG_INT, b->whole);
        }
        assert_null(word->numbers[n].name);
    }
    assert_null(words[count].name);
    assert_true(count > 2);
}

static void optimizers(void **state)
{
    (void)state;
    want_same(optimizer_specs, settings_optimizers);
}

static void schedules(void **state)
{
    (void)state;
    want_same(schedule_specs, settings_schedules);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(optimizers), cmocka_unit_test(schedules) };
    return cmocka_run_group_tests_name("choices", tests, NULL, NULL);
}
