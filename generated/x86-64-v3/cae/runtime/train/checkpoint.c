#include "checkpoint.h"

#include "formats/safetensors.h"
#include "weights/weights.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_SIZE = 700,
    NAME_SIZE = 300,
    PREFIX_SIZE = 40,
    MAX_KEYS = 48,
    VALUE_SIZE = SETTINGS_TEXT
};

/* What stands before the names of parameters, "optimizer.m/"; 0 where the optimizer does not keep
   the i-th value. */
static int state_prefix(const ModelOptimizer *optimizer, int i, char prefix[PREFIX_SIZE])
{
    const int keeps = settings_keeps_state(optimizer, i);
    if (keeps)
        snprintf(prefix, PREFIX_SIZE, "optimizer.%s/", settings_state_name(optimizer->name, i));
    return keeps;
}

static SafetensorsType real_type(void)
{
    return sizeof(real) == sizeof(double) ? SAFETENSORS_F64 : SAFETENSORS_F32;
}

/* The position record, one row a number or text: the same table writes, reads and bounds it.
   Doubles have 17 digits, which bring back every bit. */
typedef enum FieldKind { COUNT, DOUBLE, INT, OPTIMIZER, SCHEDULE } FieldKind;

typedef struct Field {
    const char *key;
    size_t offset;
    FieldKind kind;
    double least, most; /* what a run can come to; bounds of OPTIMIZER and SCHEDULE stand in
                           settings.c */
} Field;

#define PLACE(member) offsetof(CheckpointState, member)
#define ANY 0x1p64  /* all 64 bits mean something */
#define MOST 0x1p53 /* more than any run counts, and whole in a double */

static const Field fields[] = {
    { "caec.step", PLACE(step), COUNT, 0, MOST },
    { "caec.epoch", PLACE(epoch), COUNT, 0, MOST },
    { "caec.position", PLACE(position), COUNT, 0, MOST },
    { "caec.images", PLACE(images), COUNT, 0, MOST },
    { "caec.loss_sum", PLACE(loss_sum), DOUBLE, -DBL_MAX, DBL_MAX },
    { "caec.seconds", PLACE(seconds), DOUBLE, 0, DBL_MAX },
    { "caec.best", PLACE(best), DOUBLE, -DBL_MAX, INFINITY },
    { "caec.seed", PLACE(seed), COUNT, 0, ANY },
    { "caec.batch", PLACE(batch), COUNT, 1, SETTINGS_MAX_BATCH },
    { "caec.train_files", PLACE(train_files), COUNT, 0, ANY },
    { "caec.val_files", PLACE(val_files), COUNT, 0, ANY },
    { "caec.epochs", PLACE(epochs), COUNT, 0, SETTINGS_MAX_EPOCHS },
    { "caec.steps", PLACE(steps), COUNT, 0, INT64_MAX },
    { "caec.closed", PLACE(closed), COUNT, 0, MOST },
    { "caec.optimizer", PLACE(training.optimizer), OPTIMIZER, 0, 0 },
    { "caec.schedule", PLACE(training.schedule), SCHEDULE, 0, 0 },
    { "caec.schedule_follows", PLACE(schedule_follows), COUNT, 0, 1 },
    { "caec.clip_norm", PLACE(training.clip_norm), DOUBLE, 0, DBL_MAX },
    { "caec.global_clip_norm", PLACE(training.global_clip_norm), DOUBLE, 0, DBL_MAX },
    { "caec.clip_value", PLACE(training.clip_value), DOUBLE, 0, DBL_MAX },
    { "caec.patience", PLACE(training.patience), INT, 0, SETTINGS_MAX_PATIENCE },
    { "caec.min_delta", PLACE(training.min_delta), DOUBLE, 0, DBL_MAX },
    { "caec.mirror", PLACE(training.mirror), INT, 0, 1 },
    { "caec.rate", PLACE(rate), DOUBLE, 0, DBL_MAX },
    { "caec.plateau_best", PLACE(plateau.best.best), DOUBLE, -DBL_MAX, INFINITY },
    { "caec.plateau_wait", PLACE(plateau.best.wait), COUNT, 0, MOST },
    { "caec.plateau_cooldown", PLACE(plateau.cooldown), COUNT, 0, MOST },
    { "caec.plateau_scale", PLACE(plateau.scale), DOUBLE, 0, 1 },
    { "caec.early_best", PLACE(early.best), DOUBLE, -DBL_MAX, INFINITY },
    { "caec.early_wait", PLACE(early.wait), COUNT, 0, MOST },
    { "caec.stage", PLACE(stage), COUNT, 0, MOST },
    { "caec.stage_step", PLACE(stage_step), COUNT, 0, MOST },
    { "caec.stage_epoch", PLACE(stage_epoch), COUNT, 0, MOST },
    { "caec.stage_epochs", PLACE(stage_epochs), COUNT, 0, SETTINGS_MAX_EPOCHS },
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What is told of stages is there only where the model has some. */
static bool has_field(const Model *model, const Field *field)
{
    return model->stage_count > 0 || !starts_with(field->key, "caec.stage");
}

/* Files of older programs do not tell of these: their runs then write once more what an end leaves,
   and the schedule's epochs count as given. */
static int may_lack(const Field *field)
{
    return strcmp(field->key, "caec.closed") == 0
           || strcmp(field->key, "caec.schedule_follows") == 0;
}

/* Of which parameters the optimizer keeps a state; NULL: of all. */
static const unsigned char *with_state(const Model *model, const CheckpointState *state)
{
    return model->stage_count > 0 ? model->stages[state->stage].trains : model->trains;
}

/* What a checkpoint is made of while it is being written. */
typedef struct Parts {
    SafetensorsItem *items;
    char (*names)[NAME_SIZE];
    int count;
    const char *keys[MAX_KEYS], *values[MAX_KEYS];
    char texts[MAX_KEYS][VALUE_SIZE];
    int pairs;
} Parts;

static int add_tensors(Parts *parts, const Model *model, const char *prefix,
                       const unsigned char *only, const real *array, Error *error)
{
    for (int i = 0; i < model->parameter_count; i++) {
        if (only && !only[i])
            continue;
        const ModelParameter *p = &model->parameters[i];
        SafetensorsItem *item = &parts->items[parts->count];
        char *name = parts->names[parts->count];
        if (snprintf(name, NAME_SIZE, "%s%s", prefix, p->name) >= NAME_SIZE)
            return error_set(error, EXIT_INPUT,
                             "the name of the parameter %.60s... is too long for a file of weights",
                             p->name);
        *item = (SafetensorsItem){
            .name = name, .type = real_type(), .rank = p->shape.rank, .values = array + p->offset
        };
        for (int d = 0; d < p->shape.rank; d++)
            item->shape[d] = p->shape.dim[d];
        parts->count++;
    }
    return 0;
}

static void add_pair(Parts *parts, const char *key, const char *value)
{
    parts->keys[parts->pairs] = key;
    parts->values[parts->pairs++] = value;
}

static char *next_text(Parts *parts)
{
    return parts->texts[parts->pairs];
}

static void write_field(const Field *field, const CheckpointState *state, char text[VALUE_SIZE])
{
    const void *at = (const char *)state + field->offset;
    switch (field->kind) {
    case COUNT: snprintf(text, VALUE_SIZE, "%" PRIu64, *(const uint64_t *)at); break;
    case DOUBLE: snprintf(text, VALUE_SIZE, "%.17g", *(const double *)at); break;
    case INT: snprintf(text, VALUE_SIZE, "%d", *(const int *)at); break;
    case OPTIMIZER: settings_optimizer_text(at, text); break;
    case SCHEDULE: settings_schedule_text(at, text); break;
    }
}

static void add_metadata(Parts *parts, const Model *model, const CheckpointState *state)
{
    char *text = next_text(parts);
    snprintf(text, VALUE_SIZE, "%d", CHECKPOINT_FORMAT);
    add_pair(parts, "caec.format", text);
    add_pair(parts, "caec.version", model->version);
    add_pair(parts, "caec.model", model->name);
    add_pair(parts, "caec.graph", model->graph);
    add_pair(parts, "caec.fingerprint", model->fingerprint);
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!has_field(model, &fields[i]))
            continue;
        text = next_text(parts);
        write_field(&fields[i], state, text);
        add_pair(parts, fields[i].key, text);
    }
    add_pair(parts, SAFETENSORS_CHECKSUM, "");
}

/* The optimizer's state, one tensor a value that it keeps and parameter. */
static int add_states(Parts *parts, const Model *model, const CheckpointState *state,
                      real *const *kept, Error *error)
{
    const ModelOptimizer *optimizer = &state->training.optimizer;
    int result = 0;
    for (int i = 0; kept && i < SETTINGS_STATES && result == 0; i++) {
        char prefix[PREFIX_SIZE];
        if (state_prefix(optimizer, i, prefix))
            result = add_tensors(parts, model, prefix, with_state(model, state), kept[i], error);
    }
    return result;
}

int checkpoint_save(const char *path, const Model *model, const real *parameters, real *const *kept,
                    const CheckpointState *state, Error *error)
{
    int result = 0;
    size_t most = (1 + SETTINGS_STATES) * (size_t)model->parameter_count;
    char message[MESSAGE_SIZE];
    Parts *parts = calloc(1, sizeof *parts);
    if (!parts)
        return error_set(error, EXIT_FILE, "%s: out of memory while it was to be written", path);
    parts->items = calloc(most, sizeof *parts->items);
    parts->names = calloc(most, sizeof *parts->names);
    if (!parts->items || !parts->names)
        result = error_set(error, EXIT_FILE, "%s: out of memory while it was to be written", path);
    if (result == 0)
        result = add_tensors(parts, model, "", NULL, parameters, error);
    if (result == 0)
        result = add_states(parts, model, state, kept, error);
    if (result == 0) {
        add_metadata(parts, model, state);
        if (safetensors_write(path, parts->items, parts->count, parts->keys, parts->values,
                              parts->pairs, message, sizeof message)
            != 0)
            result = error_set(error, EXIT_FILE, "%s", message);
    }
    free(parts->items);
    free(parts->names);
    free(parts);
    return result;
}

/* A number's text into its member; 0 where it is none, or none that may stand there. */
static int read_number(const Field *field, const char *text, void *at)
{
    char *end = NULL;
    double x;
    errno = 0;
    if (field->kind == DOUBLE) {
        x = *(double *)at = strtod(text, &end);
    } else if (field->kind == INT) {
        long whole = strtol(text, &end, 10);
        x = (double)whole;
        *(int *)at = (int)whole;
    } else {
        uint64_t count = *(uint64_t *)at = strtoull(text, &end, 10);
        /* which strtoull takes for a large one */
        x = *text == '-' || errno ? -1 : (double)count;
    }
    return end != text && *end == '\0' && x >= field->least && x <= field->most;
}

static int refuse_number(const Field *field, const char *path, const char *text, Error *error)
{
    char least[32], most[32];
    settings_number_text(field->least, least, sizeof least);
    settings_number_text(field->most, most, sizeof most);
    return error_set(
        error, EXIT_INPUT,
        "%s: not a training checkpoint: %s is \"%.40s\", and this program writes a number from %s "
        "to %s; resume from a "
        "last.safetensors that it wrote",
        path, field->key, text, least, most);
}

static int read_field(const Safetensors *file, const char *path, const Field *field,
                      CheckpointState *state, Error *error)
{
    void *at = (char *)state + field->offset;
    const char *text = safetensors_metadata(file, field->key);
    Error wrong;
    int ok = text != NULL;
    if (!text && may_lack(field))
        return 0;
    if (ok && field->kind == OPTIMIZER)
        ok = settings_read_optimizer(at, text, &wrong) == 0;
    else if (ok && field->kind == SCHEDULE)
        ok = settings_read_schedule(at, text, &wrong) == 0;
    else if (ok && !read_number(field, text, at))
        return refuse_number(field, path, text, error);
    if (!ok)
        return error_set(
            error, EXIT_INPUT,
            "%s: not a training checkpoint: %s %s; resume from a last.safetensors that this "
            "program wrote",
            path, field->key, text ? "is not what it writes there" : "is missing");
    return 0;
}

/* Numbers that are good each by itself but not together. */
static int check_order(const CheckpointState *s, const char *path, Error *error)
{
    const struct {
        const char *small, *large;
        uint64_t less, more;
    } pairs[] = {
        { "caec.images", "caec.position", s->images, s->position },
        { "caec.stage_step", "caec.step", s->stage_step, s->step },
        { "caec.stage_epoch", "caec.epoch", s->stage_epoch, s->epoch },
        { "caec.closed", "caec.step", s->closed, s->step },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].less > pairs[i].more)
            return error_set(error, EXIT_INPUT,
                             "%s: not a training checkpoint: %s is %" PRIu64
                             ", more than %s, which is %" PRIu64 "; resume from a "
                             "last.safetensors that this program wrote",
                             path, pairs[i].small, pairs[i].less, pairs[i].large, pairs[i].more);
    return 0;
}

/* In an older one all values are where they are today, but the run would not go on to its bits. */
static int refuse_format(const Safetensors *file, const char *path, const char *format,
                         Error *error)
{
    const char *version = safetensors_metadata(file, "caec.version");
    const long number = strtol(format, NULL, 10);
    return error_set(
        error, EXIT_INPUT,
        "%s: format %.20s, written by caec %.40s; this program reads format %d%s; resume with the "
        "program that wrote it, or begin a run from its parameters (--init %s)",
        path, format, version ? version : "of an unknown version", CHECKPOINT_FORMAT,
        number > 0 && number < CHECKPOINT_FORMAT
            ? ", since the gradients of a batch are added in another order than before, so that "
              "the run would end with other bits"
            : "",
        path);
}

/* The things in which a checkpoint may be of another kind than this program reads. */
static int check_kind(const Safetensors *file, const char *path, const Model *model, Error *error)
{
    const char *format = safetensors_metadata(file, "caec.format");
    const char *name = safetensors_metadata(file, "caec.model");
    if (!format || !name)
        return error_set(
            error, EXIT_INPUT,
            "%s: not a training checkpoint; use --init to start from its parameters alone", path);
    if (strtol(format, NULL, 10) != CHECKPOINT_FORMAT)
        return refuse_format(file, path, format, error);
    if (strcmp(name, model->name) != 0)
        return error_set(
            error, EXIT_INPUT,
            "%s: a run of the network \"%.60s\", this program trains \"%s\"; give the --out of a "
            "run of "
            "this network",
            path, name, model->name);
    const char *fingerprint = safetensors_metadata(file, "caec.fingerprint");
    if (!fingerprint || strcmp(fingerprint, model->fingerprint) != 0)
        return error_set(
            error, EXIT_INPUT,
            "%s: a run of another network of the name \"%.60s\": its layers, their numbers or its "
            "loss differ from those of %s; "
            "resume with the program that wrote it, or use --init to start from its parameters",
            path, name, model->graph);
    return 0;
}

/* best.safetensors, or another file of parameters alone. */
static int check_states(const Safetensors *file, const char *path, const CheckpointState *state,
                        Error *error)
{
    if (settings_states(&state->training.optimizer) == 0)
        return 0;
    for (int i = 0; i < file->count; i++)
        if (starts_with(file->entries[i].name, "optimizer."))
            return 0;
    return error_set(
        error, EXIT_INPUT,
        "%s: holds parameters but no state of the optimizer, so no run can go on from it; "
        "use --init to start from its parameters",
        path);
}

/* A parameter, or of one that the run trains a value that its optimizer keeps. */
static bool is_kept(const Model *model, const CheckpointState *state, const char *tensor)
{
    const unsigned char *only = with_state(model, state);
    if (weights_parameter(model, tensor) >= 0)
        return true;
    for (int i = 0; i < SETTINGS_STATES; i++) {
        char prefix[PREFIX_SIZE];
        if (!state_prefix(&state->training.optimizer, i, prefix) || !starts_with(tensor, prefix))
            continue;
        const int parameter = weights_parameter(model, tensor + strlen(prefix));
        return parameter >= 0 && (!only || only[parameter]);
    }
    return false;
}

/* The optimizer that the file names is not the one whose state it holds, or it is no run's at
   all. */
static int check_extra(const Safetensors *file, const char *path, const Model *model,
                       const CheckpointState *state, Error *error)
{
    for (int i = 0; i < file->count; i++)
        if (!is_kept(model, state, file->entries[i].name)) {
            char optimizer[SETTINGS_TEXT];
            settings_optimizer_text(&state->training.optimizer, optimizer);
            return error_set(
                error, EXIT_INPUT,
                "%s: not a training checkpoint: tensor %.100s is one that a run by %.120s does not "
                "have here; resume from a last.safetensors that this program wrote",
                path, file->entries[i].name, optimizer);
        }
    return 0;
}

static int check_real(const Safetensors *file, const char *path, Error *error)
{
    for (int i = 0; i < file->count; i++)
        if (file->entries[i].type != real_type())
            return error_set(
                error, EXIT_INPUT,
                "%s: %.200s is %s, this program computes in %s; resume with the program that wrote "
                "it, or "
                "use --init",
                path, file->entries[i].name, file->entries[i].dtype,
                real_type() == SAFETENSORS_F64 ? "F64" : "F32");
    return 0;
}

/* Parameters, and what both the run's optimizer and ours keep. */
static int take_tensors(const Model *model, const Safetensors *file, const char *path,
                        const CheckpointState *state, real *parameters, real *const *kept,
                        Error *error)
{
    const ModelOptimizer *optimizer = &state->training.optimizer;
    int result = weights_take(model, file, path, "", NULL, parameters, error);
    for (int i = 0; i < SETTINGS_STATES && result == 0; i++) {
        char prefix[PREFIX_SIZE];
        if (kept[i] && state_prefix(optimizer, i, prefix))
            result = weights_take(model, file, path, prefix, with_state(model, state), kept[i],
                                  error);
    }
    return result;
}

int checkpoint_load(const char *path, const Model *model, real *parameters, real *const *kept,
                    CheckpointState *state, Error *error)
{
    Safetensors file;
    if (weights_open(&file, path, error) != 0)
        return -1;
    int result = check_kind(&file, path, model, error);
    state->training = model->training;
    state->stage = state->stage_step = state->stage_epoch = state->stage_epochs = state->closed =
        state->schedule_follows = 0;
    for (int i = 0; i < FIELD_COUNT && result == 0; i++)
        if (has_field(model, &fields[i]))
            result = read_field(&file, path, &fields[i], state, error);
    if (result == 0)
        result = check_states(&file, path, state, error);
    if (result == 0)
        result = check_order(state, path, error);
    if (result == 0 && model->stage_count > 0 && state->stage >= (uint64_t)model->stage_count)
        result = error_set(error, EXIT_INPUT,
                           "%s: a run in stage %" PRIu64
                           ", but this program has %d; resume with the program that wrote it",
                           path, state->stage + 1, model->stage_count);
    if (result == 0 && parameters)
        result = take_tensors(model, &file, path, state, parameters, kept, error);
    if (result == 0 && parameters)
        result = check_extra(&file, path, model, state, error);
    if (result == 0)
        result = check_real(&file, path, error);
    safetensors_free(&file);
    return result;
}
