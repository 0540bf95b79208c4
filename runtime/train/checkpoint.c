#include "checkpoint.h"

#include "formats/safetensors.h"
#include "settings.h"
#include "weights/weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 700, NAME_SIZE = 300, KEYS_MOST = 48, VALUE_SIZE = SETTINGS_TEXT };

static const char *const prefixes[] = {"", "optimizer.m/", "optimizer.v/"};

static SafetensorsType real_type(void)
{
    return sizeof(real) == sizeof(double) ? SAFETENSORS_F64 : SAFETENSORS_F32;
}

/* The position record, one row a number or text: the same table writes and reads it. Doubles have 17 digits, which bring back every bit. */
typedef enum FieldKind { COUNT, DOUBLE, INT, OPTIMIZER, SCHEDULE } FieldKind;

typedef struct Field {
    const char *key;
    size_t offset;
    FieldKind kind;
} Field;

static const Field fields[] = {
    {"caec.step", offsetof(CheckpointState, step), COUNT},
    {"caec.epoch", offsetof(CheckpointState, epoch), COUNT},
    {"caec.position", offsetof(CheckpointState, position), COUNT},
    {"caec.images", offsetof(CheckpointState, images), COUNT},
    {"caec.loss_sum", offsetof(CheckpointState, loss_sum), DOUBLE},
    {"caec.seconds", offsetof(CheckpointState, seconds), DOUBLE},
    {"caec.best", offsetof(CheckpointState, best), DOUBLE},
    {"caec.seed", offsetof(CheckpointState, seed), COUNT},
    {"caec.batch", offsetof(CheckpointState, batch), COUNT},
    {"caec.train_files", offsetof(CheckpointState, train_files), COUNT},
    {"caec.val_files", offsetof(CheckpointState, val_files), COUNT},
    {"caec.epochs", offsetof(CheckpointState, epochs), COUNT},
    {"caec.steps", offsetof(CheckpointState, steps), COUNT},
    {"caec.closed", offsetof(CheckpointState, closed), COUNT},
    {"caec.optimizer", offsetof(CheckpointState, training.optimizer), OPTIMIZER},
    {"caec.schedule", offsetof(CheckpointState, training.schedule), SCHEDULE},
    {"caec.clip_norm", offsetof(CheckpointState, training.clip_norm), DOUBLE},
    {"caec.global_clip_norm", offsetof(CheckpointState, training.global_clip_norm), DOUBLE},
    {"caec.clip_value", offsetof(CheckpointState, training.clip_value), DOUBLE},
    {"caec.patience", offsetof(CheckpointState, training.patience), INT},
    {"caec.min_delta", offsetof(CheckpointState, training.min_delta), DOUBLE},
    {"caec.mirror", offsetof(CheckpointState, training.mirror), INT},
    {"caec.rate", offsetof(CheckpointState, rate), DOUBLE},
    {"caec.plateau_best", offsetof(CheckpointState, plateau.watch.best), DOUBLE},
    {"caec.plateau_wait", offsetof(CheckpointState, plateau.watch.wait), COUNT},
    {"caec.plateau_cooldown", offsetof(CheckpointState, plateau.cooldown), COUNT},
    {"caec.plateau_scale", offsetof(CheckpointState, plateau.scale), DOUBLE},
    {"caec.early_best", offsetof(CheckpointState, early.best), DOUBLE},
    {"caec.early_wait", offsetof(CheckpointState, early.wait), COUNT},
    {"caec.stage", offsetof(CheckpointState, stage), COUNT},
    {"caec.stage_step", offsetof(CheckpointState, stage_step), COUNT},
    {"caec.stage_epoch", offsetof(CheckpointState, stage_epoch), COUNT},
    {"caec.stage_epochs", offsetof(CheckpointState, stage_epochs), COUNT},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What is told of stages is there only where the model has some. */
static int has_field(const Model *model, const Field *field)
{
    return model->stage_count > 0 || !starts_with(field->key, "caec.stage");
}

/* Files of older programs do not tell of it; their runs then write once more what an end leaves. */
static int may_lack(const Field *field)
{
    return strcmp(field->key, "caec.closed") == 0;
}

/* Of which parameters the optimizer keeps a state; NULL: of all. */
static const unsigned char *with_state(const Model *model, const CheckpointState *state)
{
    return model->stage_count > 0 ? model->stages[state->stage].trains : NULL;
}

/* What a checkpoint is made of while it is being written. */
typedef struct Parts {
    SafetensorsItem *items;
    char (*names)[NAME_SIZE];
    int count;
    const char *keys[KEYS_MOST], *values[KEYS_MOST];
    char texts[KEYS_MOST][VALUE_SIZE];
    int pairs;
} Parts;

static int add_tensors(Parts *parts, const Model *model, const char *prefix, const unsigned char *only, const real *array, Error *error)
{
    for (int i = 0; i < model->parameter_count; i++) {
        if (only && !only[i])
            continue;
        const ModelParameter *p = &model->parameters[i];
        SafetensorsItem *item = &parts->items[parts->count];
        char *name = parts->names[parts->count];
        if (snprintf(name, NAME_SIZE, "%s%s", prefix, p->name) >= NAME_SIZE)
            return error_set(error, EXIT_INPUT, "the name of the parameter %.60s... is too long for a file of weights", p->name);
        *item = (SafetensorsItem){.name = name, .type = real_type(), .rank = p->shape.rank, .values = array + p->offset};
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

int checkpoint_save(const char *path, const Model *model, const real *parameters, const real *m, const real *v,
                    const CheckpointState *state, Error *error)
{
    const real *arrays[] = {parameters, m, v};
    int groups = !m ? 1 : !v ? 2 : 3, result = 0;
    size_t most = (size_t)groups * (size_t)model->parameter_count;
    char message[MESSAGE_SIZE];
    Parts *parts = calloc(1, sizeof *parts);
    if (!parts)
        return error_set(error, EXIT_FILE, "%s: out of memory while it was to be written", path);
    parts->items = calloc(most, sizeof *parts->items);
    parts->names = calloc(most, sizeof *parts->names);
    if (!parts->items || !parts->names)
        result = error_set(error, EXIT_FILE, "%s: out of memory while it was to be written", path);
    for (int g = 0; g < groups && result == 0; g++)
        result = add_tensors(parts, model, prefixes[g], g > 0 ? with_state(model, state) : NULL, arrays[g], error);
    if (result == 0) {
        add_metadata(parts, model, state);
        if (safetensors_write(path, parts->items, parts->count, parts->keys, parts->values, parts->pairs,
                              message, sizeof message) != 0)
            result = error_set(error, EXIT_FILE, "%s", message);
    }
    free(parts->items);
    free(parts->names);
    free(parts);
    return result;
}

/* A number's text into its member; 0 where it is none. */
static int read_number(const Field *field, const char *text, void *at)
{
    char *end = NULL;
    if (!*text)
        return 0;
    if (field->kind == DOUBLE)
        *(double *)at = strtod(text, &end);
    else if (field->kind == INT)
        *(int *)at = (int)strtol(text, &end, 10);
    else
        *(uint64_t *)at = strtoull(text, &end, 10);
    return *end == '\0';
}

static int read_field(const Safetensors *file, const char *path, const Field *field, CheckpointState *state, Error *error)
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
    else
        ok = ok && read_number(field, text, at);
    if (!ok)
        return error_set(error, EXIT_INPUT, "%s: no checkpoint of a run: %s %s; resume from a last.safetensors that this program wrote",
                         path, field->key, text ? "is not what it writes there" : "is missing");
    return 0;
}

/* The things in which a checkpoint may be of another kind than this program reads. */
static int check_kind(const Safetensors *file, const char *path, const Model *model, Error *error)
{
    const char *format = safetensors_metadata(file, "caec.format");
    const char *name = safetensors_metadata(file, "caec.model");
    if (!format || !name)
        return error_set(error, EXIT_INPUT, "%s: no checkpoint of a run; use --init to start from its parameters alone", path);
    if (strtol(format, NULL, 10) != CHECKPOINT_FORMAT)
        return error_set(error, EXIT_INPUT, "%s: format %.20s, this program reads format %d; resume with the program that wrote it",
                         path, format, CHECKPOINT_FORMAT);
    if (strcmp(name, model->name) != 0)
        return error_set(error, EXIT_INPUT, "%s: a run of the network \"%.60s\", this program trains \"%s\"; give the --out of a run of "
                         "this network", path, name, model->name);
    const char *fingerprint = safetensors_metadata(file, "caec.fingerprint");
    if (!fingerprint || strcmp(fingerprint, model->fingerprint) != 0)
        return error_set(error, EXIT_INPUT, "%s: a run of another network of the name \"%.60s\": its layers, their numbers or its loss differ from those of %s; "
                         "resume with the program that wrote it, or use --init to start from its parameters", path, name, model->graph);
    for (int i = 0; i < file->count; i++)
        if (starts_with(file->entries[i].name, "optimizer."))
            return 0;
    return error_set(error, EXIT_INPUT, "%s: holds parameters but no state of the optimizer, so no run can go on from it; "
                     "use --init to start from its parameters", path);
}

static int check_real(const Safetensors *file, const char *path, Error *error)
{
    for (int i = 0; i < file->count; i++)
        if (file->entries[i].type != real_type())
            return error_set(error, EXIT_INPUT, "%s: %.200s is %s, this program computes in %s; resume with the program that wrote it, or "
                             "use --init", path, file->entries[i].name, file->entries[i].dtype,
                             real_type() == SAFETENSORS_F64 ? "F64" : "F32");
    return 0;
}

int checkpoint_load(const char *path, const Model *model, real *parameters, real *m, real *v, CheckpointState *state, Error *error)
{
    real *const arrays[] = {parameters, m, v};
    Safetensors file;
    if (weights_open(&file, path, error) != 0)
        return -1;
    int result = check_kind(&file, path, model, error);
    state->training = model->training;
    state->stage = state->stage_step = state->stage_epoch = state->stage_epochs = state->closed = 0;
    for (int i = 0; i < FIELD_COUNT && result == 0; i++)
        if (has_field(model, &fields[i]))
            result = read_field(&file, path, &fields[i], state, error);
    if (result == 0 && model->stage_count > 0 && state->stage >= (uint64_t)model->stage_count)
        result = error_set(error, EXIT_INPUT, "%s: a run in stage %" PRIu64 ", but this program has %d; resume with the program that wrote it", path,
                           state->stage + 1, model->stage_count);
    for (int g = 0; g < 3 && parameters && arrays[g] && result == 0; g++)
        result = weights_take(model, &file, path, prefixes[g], g > 0 ? with_state(model, state) : NULL, arrays[g], error);
    if (result == 0)
        result = check_real(&file, path, error);
    safetensors_free(&file);
    return result;
}
