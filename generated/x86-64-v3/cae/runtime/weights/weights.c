#include "weights.h"
#include "formats/parameters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 512 };

int weights_open(Safetensors *file, const char *path, Error *error)
{
    char message[sizeof error->text];
    int io;

    return parameters_open(file, path, message, sizeof message, &io) == 0
               ? 0
               : error_set(error, io ? EXIT_FILE : EXIT_INPUT, "%s", message);
}

const SafetensorsEntry *weights_find(const Safetensors *file, const char *path, const char *prefix,
                                     const char *name, int rank, const int *dim, Error *error)
{
    char full[NAME_SIZE], message[sizeof error->text];

    snprintf(full, sizeof full, "%s%s", prefix, name);
    const SafetensorsEntry *entry = parameters_find(file, path, full, rank, dim, message,
                                                    sizeof message);
    if (!entry)
        error_set(error, EXIT_INPUT, "%s", message);
    return entry;
}

static int to_real(const SafetensorsEntry *entry, real *out)
{
    return sizeof(real) == sizeof(float) ? safetensors_to_float(entry, (float *)(void *)out)
                                         : safetensors_to_double(entry, (double *)(void *)out);
}

int weights_take(const Model *model, const Safetensors *file, const char *path, const char *prefix,
                 const unsigned char *only, real *parameters, Error *error)
{
    for (int i = 0; i < model->parameter_count; i++) {
        if (only && !only[i])
            continue;
        const ModelParameter *p = &model->parameters[i];
        const SafetensorsEntry *entry = weights_find(file, path, prefix, p->name, p->shape.rank,
                                                     p->shape.dim, error);
        if (!entry)
            return -1;
        to_real(entry, parameters + p->offset);
        for (size_t k = p->offset; k < p->offset + p->count; k++)
            if (!isfinite(parameters[k])) {
                char message[sizeof error->text];
                parameters_refuse_value(path, entry->name, message, sizeof message);
                return error_set(error, EXIT_INPUT, "%s", message);
            }
    }
    return 0;
}

int weights_parameter(const Model *model, const char *name)
{
    for (int i = 0; i < model->parameter_count; i++)
        if (strcmp(model->parameters[i].name, name) == 0)
            return i;
    return -1;
}

int weights_load(const Model *model, const char *path, real *parameters, Error *error)
{
    Safetensors file;
    if (weights_open(&file, path, error) != 0)
        return -1;

    int result = weights_take(model, &file, path, "", NULL, parameters, error);
    for (int i = 0; result == 0 && i < file.count; i++) {
        const char *name = file.entries[i].name;
        char message[sizeof error->text];
        if (parameters_kept_besides(name) || weights_parameter(model, name) >= 0)
            continue;
        parameters_refuse_other(path, name, model->name, message, sizeof message);
        result = error_set(error, EXIT_INPUT, "%s", message);
    }
    safetensors_free(&file);
    return result;
}
