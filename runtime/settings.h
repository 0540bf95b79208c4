/* settings.h - optimizers and learning-rate schedules as text, for the command line and for
 * checkpoints:
 *
 *     sgd,momentum=0.9        cosine,epochs=40,warmup=2
 *
 * A name, then numbers of that word in any order. The tables are those of the graph language
 * (compiler/ops), which a test holds against them. */
#ifndef CAEC_SETTINGS_H
#define CAEC_SETTINGS_H

#include "error.h"
#include "model.h"

/* SETTINGS_STATES: what optimizers keep of a parameter, and last its average, SETTINGS_AVERAGE. */
enum {
    SETTINGS_TEXT = 256,
    SETTINGS_NUMBERS = 6,
    SETTINGS_STATES = 4,
    SETTINGS_AVERAGE = SETTINGS_STATES - 1
};

/* The most that ema may be: more is an average that does not move. */
#define SETTINGS_MAX_EMA 0.999999

/* The most that the command line takes and that checkpoints may hold. */
enum {
    SETTINGS_MAX_BATCH = 1 << 20,
    SETTINGS_MAX_EPOCHS = 1 << 24,
    SETTINGS_MAX_PATIENCE = 1 << 24
};

/* SETTINGS_FLAG: "true" or "false" as text, 1 or 0 as the number */
typedef enum SettingsKind { SETTINGS_REAL, SETTINGS_WHOLE, SETTINGS_FLAG } SettingsKind;

typedef struct SettingsNumber {
    const char *name;        /* "momentum" */
    size_t offset;           /* in ModelOptimizer or ModelSchedule, of a double */
    double number, min, max; /* where it is left out; what is allowed */
    SettingsKind kind;
} SettingsNumber;

/* A value that an optimizer keeps of every parameter from update to update. */
typedef struct SettingsState {
    const char *name; /* "m": checkpoints have optimizer.m/<parameter> */
    size_t offset;    /* in ModelOptimizer, of the number without which (0) it is not kept; 0: it
                         always is */
    size_t start;     /* likewise, of the number that it starts at; 0: it starts at 0 */
} SettingsState;

typedef struct SettingsWord {
    const char *name;
    SettingsNumber numbers[SETTINGS_NUMBERS + 1]; /* ended by name NULL */
    SettingsState states[SETTINGS_AVERAGE + 1];   /* of an optimizer, likewise */
} SettingsWord;

extern const SettingsWord settings_optimizers[], settings_schedules[]; /* ended by name NULL */

/* Text into numbers; what is left out gets the word's default. Refuses (EXIT_USAGE) what it does
   not know and says what there is. */
int settings_read_optimizer(ModelOptimizer *optimizer, const char *text, Error *error);
int settings_read_schedule(ModelSchedule *schedule, const char *text, Error *error);

/* The text with all numbers of the word, each in the shortest form that gives it back to the
   bit. (ema is no number of an optimizer's word: reading leaves it 0, the text has none.) */
void settings_optimizer_text(const ModelOptimizer *optimizer, char text[SETTINGS_TEXT]);
void settings_schedule_text(const ModelSchedule *schedule, char text[SETTINGS_TEXT]);

/* What there is, for --help: every word with its numbers where they are left out, "sgd,lr=0.01,
   momentum=0; ...". */
enum { SETTINGS_LIST = 1024 };
void settings_list(const SettingsWord *words, char text[SETTINGS_LIST]);

/* 1 where both are one optimizer with the same numbers, as far as decimals tell (1e-9). */
int settings_same_optimizer(const ModelOptimizer *a, const ModelOptimizer *b);

/* The name of the i-th value that optimizers of that name may keep, i below SETTINGS_STATES; NULL:
   it has no such one. Whether it keeps it with these numbers; the average, where there is an ema.
   How many it keeps. */
const char *settings_state_name(const char *optimizer, int i);
int settings_keeps_state(const ModelOptimizer *optimizer, int i);
double settings_state_start(const ModelOptimizer *optimizer, int i); /* of a value that it keeps */
int settings_states(const ModelOptimizer *optimizer);

/* x in the shortest form that gives it back to the bit. */
void settings_number_text(double x, char *text, size_t size);

#endif
