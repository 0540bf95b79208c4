#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 512, SHAPE_SIZE = 200 };

int weights_open(Safetensors *file, const char *path, Error *error)
{
    char message[sizeof error->text];
    int io;

    if (safetensors_read(file, path, message, sizeof message, &io) != 0) return error_set(error, io ? EXIT_FILE : EXIT_INPUT, "%s", message);
    if (!safetensors_metadata(file, "caec.format") || safetensors_metadata(file, SAFETENSORS_CHECKSUM)) return 0;
    safetensors_free(file);
    return error_set(error, EXIT_INPUT, "%s: damaged, or of an earlier caec: it has no checksum; take another copy, or store its tensors anew "
                     "without the metadata", path);
}

char *weights_shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (at < size) snprintf(text + at, size - at, "]");
    return text;
}

static int same_shape(const SafetensorsEntry *entry, int rank, const int *dim)
{
    int same = entry->rank == rank;
    for (int i = 0; same && i < rank; i++) same = entry->shape[i] == dim[i];
    return same;
}

const SafetensorsEntry *weights_find(const Safetensors *file, const char *path, const char *prefix, const char *name, int rank,
                                     const int *dim, Error *error)
{
    char full[NAME_SIZE], wanted[SHAPE_SIZE], found[SHAPE_SIZE];
    int64_t shape[SAFETENSORS_MAX_RANK] = {0};

    for (int i = 0; i < rank; i++) shape[i] = dim[i];
    weights_shape_text(wanted, sizeof wanted, rank, shape);
    snprintf(full, sizeof full, "%s%s", prefix, name);

    const SafetensorsEntry *entry = safetensors_find(file, full);
    if (!entry) {
        error_set(error, EXIT_INPUT, "%s: tensor %s %s is missing; the file belongs to another network", path, full, wanted);
        return NULL;
    }
    if (!same_shape(entry, rank, dim)) {
        error_set(error, EXIT_INPUT, "%s: tensor %s has shape %s; this network needs %s", path, full,
                  weights_shape_text(found, sizeof found, entry->rank, entry->shape), wanted);
        return NULL;
    }
    if (entry->type != SAFETENSORS_F32 && entry->type != SAFETENSORS_F64) {
        error_set(error, EXIT_INPUT, "%s: tensor %s has type %s; store it as F32 or F64", path, full, entry->dtype);
        return NULL;
    }
    return entry;
}

static int to_real(const SafetensorsEntry *entry, real *out)
{
    return sizeof(real) == sizeof(float) ? safetensors_to_float(entry, (float *)(void *)out)
                                         : safetensors_to_double(entry, (double *)(void *)out);
}

int weights_take(const Model *model, const Safetensors *file, const char *path, const char *prefix, const unsigned char *only, real *parameters,
                 Error *error)
{
    for (int i = 0; i < model->parameter_count; i++) {
        if (only && !only[i]) continue;
        const ModelParameter *p = &model->parameters[i];
        const SafetensorsEntry *entry = weights_find(file, path, prefix, p->name, p->shape.rank, p->shape.dim, error);
        if (!entry) return -1;
        to_real(entry, parameters + p->offset);
        for (size_t k = p->offset; k < p->offset + p->count; k++)
            if (!isfinite(parameters[k]))
                return error_set(error, EXIT_INPUT,
                                 "%s: tensor %s%s holds a value that is not a finite number; use weights from before the "
                                 "training diverged", path, prefix, p->name);
    }
    return 0;
}

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static int is_parameter(const Model *model, const char *name)
{
    for (int i = 0; i < model->parameter_count; i++)
        if (strcmp(model->parameters[i].name, name) == 0) return 1;
    return 0;
}

int weights_load(const Model *model, const char *path, real *parameters, Error *error)
{
    Safetensors file;
    if (weights_open(&file, path, error) != 0) return -1;

    int result = weights_take(model, &file, path, "", NULL, parameters, error);
    for (int i = 0; result == 0 && i < file.count; i++) {
        const char *name = file.entries[i].name;
        if (starts_with(name, "optimizer.") || starts_with(name, "position") || starts_with(name, "caec.")) continue;
        if (!is_parameter(model, name))
            result = error_set(error, EXIT_INPUT, "%s: tensor %.200s is not one of the network %s; the file belongs to another network",
                               path, name, model->name);
    }
    safetensors_free(&file);
    return result;
}
