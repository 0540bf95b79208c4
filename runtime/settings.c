#include "settings.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIMIZER_NUMBER(name) #name, offsetof(ModelOptimizer, name)
#define SCHEDULE_NUMBER(name) #name, offsetof(ModelSchedule, name)

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
    { "adam", { ADAM_NUMBERS }, { { "m", 0, 0 }, { "v", 0, 0 } } },
    { "adamw",
      { ADAM_NUMBERS, { OPTIMIZER_NUMBER(weight_decay), 0.004, 0, 1e3, 0 } },
      { { "m", 0, 0 }, { "v", 0, 0 } } },
    { "sgd",
      { { OPTIMIZER_NUMBER(lr), 0.01, 0, 1e3, 0 },
        { OPTIMIZER_NUMBER(momentum), 0, 0, 0.999999, 0 },
        { OPTIMIZER_NUMBER(nesterov), 0, 0, 1, SETTINGS_FLAG } },
      { { "m", 0, 0 } } },
    { "rmsprop",
      { { OPTIMIZER_NUMBER(lr), 1e-3, 0, 1e3, 0 },
        { OPTIMIZER_NUMBER(rho), 0.9, 0, 0.999999, 0 },
        { OPTIMIZER_NUMBER(momentum), 0, 0, 0.999999, 0 },
        { OPTIMIZER_NUMBER(centered), 0, 0, 1, SETTINGS_FLAG },
        { OPTIMIZER_NUMBER(eps), 1e-7, 0, 1, 0 } },
      { { "v", 0, 0 },
        { "m", offsetof(ModelOptimizer, momentum), 0 },
        { "mean_gradient", offsetof(ModelOptimizer, centered), 0 } } },
    { "adagrad",
      { { OPTIMIZER_NUMBER(lr), 1e-3, 0, 1e3, 0 },
        { OPTIMIZER_NUMBER(initial_accumulator), 0.1, 0, 1e6, 0 },
        { OPTIMIZER_NUMBER(eps), 1e-7, 0, 1, 0 } },
      { { "v", 0, offsetof(ModelOptimizer, initial_accumulator) } } },
    { "adadelta",
      { { OPTIMIZER_NUMBER(lr), 1e-3, 0, 1e3, 0 },
        { OPTIMIZER_NUMBER(rho), 0.95, 0, 0.999999, 0 },
        { OPTIMIZER_NUMBER(eps), 1e-7, 0, 1, 0 } },
      { { "v", 0, 0 }, { "d", 0, 0 } } },
    { "nadam", { ADAM_NUMBERS }, { { "m", 0, 0 }, { "v", 0, 0 } } },
    { .name = NULL }
};

const SettingsWord settings_schedules[] = {
    { "constant", .numbers = { WARMUP } },
    { "step", .numbers = { { SCHEDULE_NUMBER(every), 10, 1, SETTINGS_MAX_EPOCHS, SETTINGS_WHOLE },
                           { SCHEDULE_NUMBER(factor), 0.1, 0, 1, 0 },
                           WARMUP } },
    { "cosine", .numbers = { { SCHEDULE_NUMBER(epochs), 0, 1, SETTINGS_MAX_EPOCHS, SETTINGS_WHOLE },
                             MIN_LR,
                             WARMUP } },
    { "reduce_on_plateau",
      .numbers = { { SCHEDULE_NUMBER(factor), 0.1, 0, 0.999999, 0 },
                   { SCHEDULE_NUMBER(patience), 10, 1, SETTINGS_MAX_EPOCHS, SETTINGS_WHOLE },
                   { SCHEDULE_NUMBER(min_delta), 1e-4, 0, 1e6, 0 },
                   { SCHEDULE_NUMBER(cooldown), 0, 0, SETTINGS_MAX_EPOCHS, SETTINGS_WHOLE },
                   MIN_LR,
                   WARMUP } },
    { .name = NULL }
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

/* `length` letters, if they are a value that the number may have. */
static bool read_value(const SettingsNumber *n, const char *text, size_t length, double *value)
{
    char *end;
    if (n->kind == SETTINGS_FLAG) {
        *value = is(text, length, "true");
        return *value || is(text, length, "false");
    }
    *value = strtod(text, &end);
    return length > 0 && end == text + length && *value >= n->min && *value <= n->max
           && (n->kind != SETTINGS_WHOLE || *value == floor(*value));
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
    if (read_value(n, text + name + 1, length - name - 1, (double *)((char *)out + n->offset)))
        return 0;
    const int shown = (int)(length < 60 ? length : 60);
    if (n->kind == SETTINGS_FLAG)
        return error_set(error, EXIT_USAGE, "%.*s: %s of %s is true or false", shown, text, n->name,
                         word->name);
    return error_set(error, EXIT_USAGE, "%.*s: %s of %s is a %snumber from %.9g to %.9g", shown,
                     text, n->name, word->name, n->kind == SETTINGS_WHOLE ? "whole " : "", n->min,
                     n->max);
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

/* Appends ",name=x". */
static void add_number(const SettingsNumber *n, double x, char *text, size_t size)
{
    const size_t used = strlen(text);
    char number[32];
    if (n->kind == SETTINGS_FLAG)
        snprintf(number, sizeof number, "%s", x != 0 ? "true" : "false");
    else
        settings_number_text(x, number, sizeof number);
    if (x >= n->min) /* cosine's epochs, where they are the run's, have no number yet */
        snprintf(text + used, size - used, ",%s=%s", n->name, number);
}

static void write_text(const SettingsWord *words, const char *name, const void *numbers,
                       char text[SETTINGS_TEXT])
{
    const SettingsWord *word = find_word(words, name, strlen(name));
    snprintf(text, SETTINGS_TEXT, "%s", name);
    for (const SettingsNumber *n = word ? word->numbers : words[0].numbers; word && n->name; n++)
        add_number(n, *(const double *)((const char *)numbers + n->offset), text, SETTINGS_TEXT);
}

void settings_list(const SettingsWord *words, char text[SETTINGS_LIST])
{
    *text = '\0';
    for (const SettingsWord *word = words; word->name; word++) {
        const size_t used = strlen(text);
        snprintf(text + used, SETTINGS_LIST - used, "%s%s", used ? "; " : "", word->name);
        for (const SettingsNumber *n = word->numbers; n->name; n++)
            add_number(n, n->number, text, SETTINGS_LIST);
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

static double number_at(const ModelOptimizer *optimizer, size_t offset)
{
    return *(const double *)((const char *)optimizer + offset);
}

int settings_same_optimizer(const ModelOptimizer *a, const ModelOptimizer *b)
{
    const SettingsWord *word = find_word(settings_optimizers, a->name, strlen(a->name));
    int same = strcmp(a->name, b->name) == 0;
    for (const SettingsNumber *n = word->numbers; n->name && same; n++) {
        const double x = number_at(a, n->offset), y = number_at(b, n->offset);
        same = fabs(x - y) <= 1e-9 * fabs(x);
    }
    return same;
}

static const SettingsState *find_state(const char *optimizer, int i)
{
    const SettingsWord *word = find_word(settings_optimizers, optimizer, strlen(optimizer));
    for (int k = 0; word && k <= i; k++)
        if (k == SETTINGS_AVERAGE || !word->states[k].name)
            return NULL;
    return word ? &word->states[i] : NULL;
}

const char *settings_state_name(const char *optimizer, int i)
{
    if (i == SETTINGS_AVERAGE)
        return "average";
    const SettingsState *state = find_state(optimizer, i);
    return state ? state->name : NULL;
}

int settings_keeps_state(const ModelOptimizer *optimizer, int i)
{
    if (i == SETTINGS_AVERAGE)
        return optimizer->ema > 0;
    const SettingsState *state = find_state(optimizer->name, i);
    return state && (state->offset == 0 || number_at(optimizer, state->offset) != 0);
}

double settings_state_start(const ModelOptimizer *optimizer, int i)
{
    const SettingsState *state = find_state(optimizer->name, i);
    return state && state->start ? number_at(optimizer, state->start) : 0;
}

int settings_states(const ModelOptimizer *optimizer)
{
    int count = 0;
    for (int i = 0; i < SETTINGS_STATES; i++)
        count += settings_keeps_state(optimizer, i);
    return count;
}
