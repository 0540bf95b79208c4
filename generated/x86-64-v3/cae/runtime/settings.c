#include "settings.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIMIZER_NUMBER(name) #name, offsetof(ModelOptimizer, name)
#define SCHEDULE_NUMBER(name) #name, offsetof(ModelSchedule, name)
#define MAX_EPOCHS (1 << 24)

#define ADAM_NUMBERS                                                                             \
    { OPTIMIZER_NUMBER(lr), 1e-3, 0, 1e3, 0 }, { OPTIMIZER_NUMBER(beta1), 0.9, 0, 0.999999, 0 }, \
        { OPTIMIZER_NUMBER(beta2), 0.999, 0, 0.999999999, 0 },                                   \
    {                                                                                            \
        OPTIMIZER_NUMBER(eps), 1e-7, 0, 1, 0                                                     \
    }
#define WARMUP                                \
    {                                         \
        SCHEDULE_NUMBER(warmup), 0, 0, 1e6, 0 \
    }
#define MIN_LR                                \
    {                                         \
        SCHEDULE_NUMBER(min_lr), 0, 0, 1e3, 0 \
    }

const SettingsWord settings_optimizers[] = {
    { "adam", { ADAM_NUMBERS } },
    { "adamw", { ADAM_NUMBERS, { OPTIMIZER_NUMBER(weight_decay), 0.004, 0, 1e3, 0 } } },
    { "sgd",
      { { OPTIMIZER_NUMBER(lr), 0.01, 0, 1e3, 0 },
        { OPTIMIZER_NUMBER(momentum), 0, 0, 0.999999, 0 } } },
    { NULL, { { 0 } } }
};

const SettingsWord settings_schedules[] = {
    { "constant", { WARMUP } },
    { "step",
      { { SCHEDULE_NUMBER(every), 10, 1, MAX_EPOCHS, 1 },
        { SCHEDULE_NUMBER(factor), 0.1, 0, 1, 0 },
        WARMUP } },
    { "cosine", { { SCHEDULE_NUMBER(epochs), 0, 1, MAX_EPOCHS, 1 }, MIN_LR, WARMUP } },
    { "reduce_on_plateau",
      { { SCHEDULE_NUMBER(factor), 0.1, 0, 0.999999, 0 },
        { SCHEDULE_NUMBER(patience), 10, 1, MAX_EPOCHS, 1 },
        { SCHEDULE_NUMBER(min_delta), 1e-4, 0, 1e6, 0 },
        { SCHEDULE_NUMBER(cooldown), 0, 0, MAX_EPOCHS, 1 },
        MIN_LR,
        WARMUP } },
    { NULL, { { 0 } } }
};

/* `length` letters of text are the name. */
static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

static const SettingsWord *find_word(const SettingsWord *words, const char *text, size_t length)
{
    for (; words->name; words++)
        if (is(text, length, words->name))
            return words;
    return NULL;
}

static int refuse_word(const char *what, const SettingsWord *words, const char *text, Error *error)
{
    char known[200] = "";
    for (; words->name; words++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "",
                 words->name);
    return error_set(error, EXIT_USAGE, "%.60s: no %s is called that; there are %s", text, what,
                     known);
}

static int refuse_number(const SettingsWord *word, const char *text, size_t length, Error *error)
{
    char known[200] = "";
    for (const SettingsNumber *n = word->numbers; n->name; n++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "",
                 n->name);
    return error_set(error, EXIT_USAGE, "%.*s: give numbers of %s as NAME=NUMBER; it has %s",
                     (int)(length < 60 ? length : 60), text, word->name, known);
}

/* One "name=number" of `length` letters into the struct at `out`. *given has a bit for each number
   of the word. */
static int read_number(const SettingsWord *word, void *out, unsigned *given, const char *text,
                       size_t length, Error *error)
{
    size_t name = strcspn(text, "=,");
    const SettingsNumber *n = word->numbers;
    while (n->name && !is(text, name, n->name))
        n++;
    if (!n->name || text[name] != '=')
        return refuse_number(word, text, length, error);
    unsigned bit = 1u << (n - word->numbers);
    if (*given & bit)
        return error_set(error, EXIT_USAGE, "%s of %s is given twice; give it once", n->name,
                         word->name);
    *given |= bit;
    char *end;
    double x = strtod(text + name + 1, &end);
    if (end != text + length || end == text + name + 1 || !(x >= n->min && x <= n->max)
        || (n->whole && x != floor(x)))
        return error_set(error, EXIT_USAGE, "%.*s: %s of %s is a %snumber from %.9g to %.9g",
                         (int)(length < 60 ? length : 60), text, n->name, word->name,
                         n->whole ? "whole " : "", n->min, n->max);
    *(double *)((char *)out + n->offset) = x;
    return 0;
}

/* The numbers after the name, into the struct at `out`, whose numbers are all 0. */
static int read_numbers(const SettingsWord *word, void *out, const char *text, Error *error)
{
    unsigned given = 0;
    for (const SettingsNumber *n = word->numbers; n->name; n++)
        *(double *)((char *)out + n->offset) = n->number;
    while (*text == ',') {
        size_t length = strcspn(++text, ",");
        if (read_number(word, out, &given, text, length, error) != 0)
            return -1;
        text += length;
    }
    return 0;
}

int settings_read_optimizer(ModelOptimizer *optimizer, const char *text, Error *error)
{
    size_t length = strcspn(text, ",");
    const SettingsWord *word = find_word(settings_optimizers, text, length);
    if (!word)
        return refuse_word("optimizer", settings_optimizers, text, error);
    *optimizer = (ModelOptimizer){ .name = word->name };
    return read_numbers(word, optimizer, text + length, error);
}

int settings_read_schedule(ModelSchedule *schedule, const char *text, Error *error)
{
    size_t length = strcspn(text, ",");
    const SettingsWord *word = find_word(settings_schedules, text, length);
    if (!word)
        return refuse_word("schedule", settings_schedules, text, error);
    *schedule = (ModelSchedule){ .name = word->name };
    return read_numbers(word, schedule, text + length, error);
}

void settings_number_text(double x, char *text, size_t size)
{
    if (fabs(x) < 1e15 && x == floor(x)) {
        snprintf(text, size, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            return;
    }
}

static void write_text(const SettingsWord *words, const char *name, const void *numbers,
                       char text[SETTINGS_TEXT])
{
    const SettingsWord *word = find_word(words, name, strlen(name));
    snprintf(text, SETTINGS_TEXT, "%s", name);
    for (const SettingsNumber *n = word ? word->numbers : words[0].numbers; word && n->name; n++) {
        double x = *(const double *)((const char *)numbers + n->offset);
        size_t used = strlen(text);
        char number[32];
        settings_number_text(x, number, sizeof number);
        if (x >= n->min) /* cosine's epochs, where they are the run's, have no number yet */
            snprintf(text + used, SETTINGS_TEXT - used, ",%s=%s", n->name, number);
    }
}

void settings_optimizer_text(const ModelOptimizer *optimizer, char text[SETTINGS_TEXT])
{
    write_text(settings_optimizers, optimizer->name, optimizer, text);
}

void settings_schedule_text(const ModelSchedule *schedule, char text[SETTINGS_TEXT])
{
    write_text(settings_schedules, schedule->name, schedule, text);
}
