#define _POSIX_C_SOURCE 200809L
#include "draw_training.h"

#include "cases.h"
#include "draw.h"
#include "rng.h"
#include "settings.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A number of a word: what holds where it is left out, and two others that are legal beside all the
   rest. */
typedef struct Number {
    const char *name;
    size_t offset;
    double left_out, other[2];
    bool flag; /* true or false */
} Number;

typedef struct Word {
    const char *name;
    Number numbers[8];
} Word;

#define SCHEDULE(name, ...)                                      \
    {                                                            \
#name, offsetof(ModelSchedule, name), __VA_ARGS__, false \
    }
#define WARMUP SCHEDULE(warmup, 0, { 0.75, 1 })
#define MIN_LR SCHEDULE(min_lr, 0, { 1e-9, 1e-6 })

static const Word schedules[] = {
    { "constant", { WARMUP } },
    { "step", { SCHEDULE(every, 10, { 1, 1 << 24 }), SCHEDULE(factor, 0.1, { 0, 1 }), WARMUP } },
    { "cosine", { SCHEDULE(epochs, 0, { 2, 1 << 24 }), MIN_LR, WARMUP } },
    { "reduce_on_plateau",
      { SCHEDULE(factor, 0.1, { 0, 0.5 }), SCHEDULE(patience, 10, { 1, 3 }),
        SCHEDULE(min_delta, 1e-4, { 0, 12 }), SCHEDULE(cooldown, 0, { 1, 9 }), MIN_LR, WARMUP } },
};

enum { SCHEDULES = sizeof schedules / sizeof *schedules };

/* The list above has what the runtime knows, for only a person knows what is legal beside what. */
static void check_schedules(void)
{
    for (int i = 0; i < SCHEDULES; i++) {
        const SettingsWord *word = &settings_schedules[i];
        int n = 0;
        assert_string_equal(schedules[i].name, word->name);
        for (; word->numbers[n].name; n++) {
            assert_string_equal(schedules[i].numbers[n].name, word->numbers[n].name);
            assert_true(schedules[i].numbers[n].left_out == word->numbers[n].number);
        }
        assert_null(schedules[i].numbers[n].name);
    }
    assert_null(settings_schedules[SCHEDULES].name);
}

static int optimizer_count(void)
{
    int count = 0;
    while (settings_optimizers[count].name)
        count++;
    return count;
}

/* An optimizer as the runtime knows it. Of most numbers the bounds are legal; a rate of 0 would be
   below min_lr. */
static Word optimizer_word(const SettingsWord *from)
{
    Word word = { .name = from->name };
    for (int i = 0; from->numbers[i].name; i++) {
        const SettingsNumber *n = &from->numbers[i];
        const double least = strcmp(n->name, "lr") == 0 ? 1.0 / 3 : n->min;
        assert_true(i + 1 < (int)(sizeof word.numbers / sizeof *word.numbers));
        word.numbers[i] = (Number){
            n->name, n->offset, n->number, { least, n->max }, n->kind == SETTINGS_FLAG
        };
    }
    return word;
}

/* A word of the list with some of its numbers; fills the members of `what` at the numbers'
   offsets. */
static void draw_word(uint64_t *state, FILE *f, const Word *word, void *what)
{
    int count = 0;
    fprintf(f, "%s {", word->name);
    for (const Number *n = word->numbers; n->name; n++) {
        double value = n->left_out;
        if (rng_chance(state, 40)) {
            value = n->other[rng_below(state, 2)];
            fprintf(f, "%s%s = ", count++ ? ", " : " ", n->name);
            if (n->flag)
                fprintf(f, value != 0 ? "true" : "false");
            else
                fprintf(f, "%.17g", value);
        }
        memcpy((char *)what + n->offset, &value, sizeof value);
    }
    fprintf(f, count ? " }" : "}");
}

/* One way of clipping at most. */
static void draw_clipping(uint64_t *state, FILE *f, ModelTraining *training)
{
    static const char *const names[] = { "clip_norm", "global_clip_norm", "clip_value" };
    double *const values[] = { &training->clip_norm, &training->global_clip_norm,
                               &training->clip_value };
    int way = rng_below(state, 6);
    if (way >= 3)
        return;
    *values[way] = rng_chance(state, 20) ? 0 : rng_between(state, 1, 40) / 8.0;
    fprintf(f, ", %s = %.17g", names[way], *values[way]);
}

char *draw_training(uint64_t *state, const char *loss, ModelTraining *training)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    const SettingsWord *chosen = &settings_optimizers[rng_below(state, optimizer_count())];
    const Word optimizer = optimizer_word(chosen),
               *schedule = &schedules[rng_below(state, SCHEDULES)];
    bool with_schedule = rng_chance(state, 60);
    check_schedules();
    *training = (ModelTraining){ .loss = loss,
                                 .optimizer.name = optimizer.name,
                                 .schedule.name = "constant",
                                 .batch = 64,
                                 .epochs = 40 };
    fprintf(f, "optimizer = ");
    draw_word(state, f, &optimizer, &training->optimizer);
    if (with_schedule) {
        training->schedule.name = schedule->name;
        fprintf(f, ", schedule = ");
        draw_word(state, f, schedule, &training->schedule);
    }
    if (rng_chance(state, 50))
        fprintf(f, ", batch = %d", training->batch = rng_between(state, 1, 1 << 20));
    if (rng_chance(state, 50))
        fprintf(f, ", epochs = %d", training->epochs = rng_between(state, 2, 1 << 24));
    if (rng_chance(state, 30))
        fprintf(f, ", mirror = %s", (training->mirror = rng_chance(state, 60)) ? "true" : "false");
    draw_clipping(state, f, training);
    if (rng_chance(state, 30)) {
        training->patience = rng_between(state, 1, 9);
        fprintf(f, ", early_stopping = { patience = %d", training->patience);
        if (rng_chance(state, 50))
            fprintf(f, ", min_delta = %.17g", training->min_delta = rng_between(state, 0, 8) / 7.0);
        fprintf(f, " }");
    }
    if (rng_chance(state, 20))
        fprintf(f, ", ema = %.17g", training->optimizer.ema = rng_between(state, 0, 8) / 9.0);
    fclose(f);
    return text;
}

static void want_number(const char *what, double got, double right)
{
    if (got != right)
        fail_msg("training: %s is %.17g instead of %.17g", what, got, right);
}

static void want_numbers(const Word *word, const char *name, const void *got, const void *right)
{
    for (const Number *n = word->numbers; n->name && strcmp(word->name, name) == 0; n++) {
        double a, b;
        memcpy(&a, (const char *)got + n->offset, sizeof a);
        memcpy(&b, (const char *)right + n->offset, sizeof b);
        want_number(n->name, a, b);
    }
}

void check_training(const Drawn *drawn, const Model *model)
{
    const ModelTraining *got = &model->training, *right = &drawn->training;
    assert_string_equal(got->loss, right->loss);
    assert_string_equal(got->optimizer.name, right->optimizer.name);
    assert_string_equal(got->schedule.name, right->schedule.name);
    for (const SettingsWord *from = settings_optimizers; from->name; from++) {
        const Word word = optimizer_word(from);
        want_numbers(&word, right->optimizer.name, &got->optimizer, &right->optimizer);
    }
    for (int i = 0; i < SCHEDULES; i++)
        want_numbers(&schedules[i], right->schedule.name, &got->schedule, &right->schedule);
    want_number("ema", got->optimizer.ema, right->optimizer.ema);
    want_number("batch", got->batch, right->batch);
    want_number("epochs", got->epochs, right->epochs);
    want_number("clip_norm", got->clip_norm, right->clip_norm);
    want_number("global_clip_norm", got->global_clip_norm, right->global_clip_norm);
    want_number("clip_value", got->clip_value, right->clip_value);
    want_number("patience", got->patience, right->patience);
    want_number("min_delta", got->min_delta, right->min_delta);
    want_number("mirror", got->mirror, right->mirror);
}
