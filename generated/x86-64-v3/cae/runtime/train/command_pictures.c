#define _POSIX_C_SOURCE 200809L
#include "command_pictures.h"

#include "formats/leftovers.h"
#include "images/image.h"
#include "images/pictures.h"
#include "images/signal_draw.h"
#include "signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST = 1024 }; /* the pictures before it are trained on */

static int check_anomalies(const Model *model, Error *error)
{
    const int *dim = model->input.dim;
    if (signal_length(dim[0], dim[1]))
        return 0;
    return error_set(error, EXIT_INPUT,
                     "--anomalies: signals have them, which networks of images of one row or one "
                     "column learn from; those of %s are %d x %d",
                     model->name, dim[0], dim[1]);
}

static int write_one(const ModelShape *shape, const char *folder, uint64_t seed, int i,
                     bool anomalies, uint8_t *pixels, Error *error)
{
    int length = signal_length(shape->dim[0], shape->dim[1]);
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%04d.png", folder, i);
    if (n < 0 || (size_t)n >= sizeof path)
        return error_set(error, EXIT_FILE, "%s: the name is too long", folder);
    picture_draw(seed, (uint64_t)(FIRST + i), shape->dim[0], shape->dim[1], shape->dim[2], pixels);
    if (anomalies)
        signal_add_anomaly(seed, (uint64_t)(FIRST + i), length, shape->dim[2], pixels);
    return image_write_png(path, shape->dim[1], shape->dim[0], shape->dim[2], pixels, error);
}

int command_pictures(const Model *model, const char *folder, uint64_t seed, int count,
                     bool anomalies, Error *error)
{
    const ModelShape *shape = &model->input;
    if (image_check_channels(model->name, shape->dim[2], error) != 0)
        return -1;
    if (anomalies && check_anomalies(model, error) != 0)
        return -1;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, EXIT_FILE, "%s: cannot make the folder: %s", folder,
                         strerror(errno));
    char program[100];
    snprintf(program, sizeof program, "%s-train", model->name);
    signals_end_at_once(program, NULL);
    leftovers_remove(folder);
    uint8_t *pixels = malloc((size_t)shape->dim[0] * (size_t)shape->dim[1] * (size_t)shape->dim[2]);
    if (!pixels)
        return error_set(error, EXIT_FILE, "out of memory");
    int status = 0;
    for (int i = 0; i < count && status == 0; i++)
        status = write_one(shape, folder, seed ? seed : 1, i, anomalies, pixels, error);
    free(pixels);
    return status;
}
