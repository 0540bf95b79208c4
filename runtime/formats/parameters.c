#include "parameters.h"
#include "message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SHAPE_SIZE = 200 };

int parameters_open(Safetensors *file, const char *path, char *message, size_t size, int *io)
{
    if (safetensors_read(file, path, message, size, io) != 0)
        return -1;
    if (!safetensors_metadata(file, "caec.format")
        || safetensors_metadata(file, SAFETENSORS_CHECKSUM))
        return 0;
    safetensors_free(file);
    return message_fail(
        message, size,
        "%s: damaged, or of an earlier caec: it has no checksum; take another copy, or store its "
        "tensors anew "
        "without the metadata",
        path);
}

char *parameters_shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (at < size)
        snprintf(text + at, size - at, "]");
    return text;
}

static bool same_shape(const SafetensorsEntry *entry, int rank, const int *dim)
{
    int same = entry->rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = entry->shape[i] == dim[i];
    return same;
}

const SafetensorsEntry *parameters_find(const Safetensors *file, const char *path, const char *name,
                                        int rank, const int *dim, char *message, size_t size)
{
    char wanted[SHAPE_SIZE], found[SHAPE_SIZE];
    int64_t shape[SAFETENSORS_MAX_RANK] = { 0 };

    for (int i = 0; i < rank; i++)
        shape[i] = dim[i];
    parameters_shape_text(wanted, sizeof wanted, rank, shape);

    const SafetensorsEntry *entry = safetensors_find(file, name);
    if (!entry) {
        message_fail(message, size,
                     "%s: tensor %s %s is missing; the file belongs to another network", path, name,
                     wanted);
        return NULL;
    }
    if (!same_shape(entry, rank, dim)) {
        message_fail(message, size, "%s: tensor %s has shape %s; this network needs %s", path, name,
                     parameters_shape_text(found, sizeof found, entry->rank, entry->shape), wanted);
        return NULL;
    }
    if (entry->type != SAFETENSORS_F32 && entry->type != SAFETENSORS_F64) {
        message_fail(message, size, "%s: tensor %s has type %s; store it as F32 or F64", path, name,
                     entry->dtype);
        return NULL;
    }
    return entry;
}

int parameters_kept_besides(const char *tensor)
{
    static const char *const starts[] = { "optimizer.", "position", "caec." };
    for (int i = 0; i < 3; i++)
        if (strncmp(tensor, starts[i], strlen(starts[i])) == 0)
            return 1;
    return 0;
}

int parameters_refuse_other(const char *path, const char *tensor, const char *model, char *message,
                            size_t size)
{
    return message_fail(
        message, size,
        "%s: tensor %.200s is not one of the network %s; the file belongs to another network", path,
        tensor, model);
}

int parameters_refuse_value(const char *path, const char *tensor, char *message, size_t size)
{
    return message_fail(
        message, size,
        "%s: tensor %s holds a value that is not a finite number, or too large for this program's; "
        "use weights "
        "from before the training diverged",
        path, tensor);
}
