/* infer_files.c - the part of infer.h that reads lists of picture files. */
#define _XOPEN_SOURCE 700 /* strdup, stat */
#include "infer.h"

#include "data/dataset.h"
#include "images/image.h"
#include "memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Takes over a malloc'ed path. */
static int add_path(InferPaths *list, char *path, int named, Error *error)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        char **paths = realloc(list->paths, room * sizeof *paths);
        if (paths)
            list->paths = paths;
        unsigned char *flags = paths ? realloc(list->named, room) : NULL;
        if (flags) {
            list->named = flags;
            list->room = room;
        }
    }
    if (!path || list->count == list->room) {
        free(path);
        return error_set(error, EXIT_INPUT, "out of memory");
    }
    list->paths[list->count] = path;
    list->named[list->count++] = (unsigned char)named;
    return 0;
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder), size;
    while (length > 1 && folder[length - 1] == '/')
        length--;
    size = length + strlen(name) + 2;

    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%.*s%s%s", (int)length, folder, folder[length - 1] == '/' ? "" : "/",
                 name);
    return path;
}

static int add_folder(InferPaths *list, const Model *model, const char *folder, Error *error)
{
    DatasetOptions options = { .height = model->input.dim[0],
                               .width = model->input.dim[1],
                               .channels = model->input.dim[2],
                               .readers = 1 };
    Dataset *dataset;
    int result = 0;

    if (dataset_open_folder(&dataset, folder, &options, list->warn, error) != 0)
        return -1;
    for (size_t i = 0; result == 0 && i < dataset_count(dataset); i++)
        result = add_path(list, join(folder, dataset_name(dataset, i)), 0, error);
    dataset_close(dataset);
    return result;
}

int infer_paths_open(InferPaths *list, const Model *model, char *const *arguments, int count,
                     void (*warn)(const char *text), Error *error)
{
    struct stat status;
    int result = 0;

    *list = (InferPaths){ .warn = warn };
    if (image_check_channels(model->name, model->input.dim[2], error) != 0)
        return -1;
    for (int i = 0; result == 0 && i < count; i++) {
        int folder = stat(arguments[i], &status) == 0 && S_ISDIR(status.st_mode);
        result = folder ? add_folder(list, model, arguments[i], error)
                        : add_path(list, strdup(arguments[i]), 1, error);
    }
    if (result != 0)
        infer_paths_close(list);
    return result;
}

void infer_paths_close(InferPaths *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    free(list->named);
    *list = (InferPaths){ 0 };
}

int infer_read(const Model *model, const char *path, uint8_t *pixels,
               void (*warn)(const char *text), Error *error)
{
    Image image;
    if (image_read(&image, path, error) != 0)
        return -1;
    image_warn_deep(path, image.bits, warn);

    int result = image_fit(&image, model->input.dim[1], model->input.dim[0], model->input.dim[2],
                           pixels, error);
    image_free(&image);
    return result;
}

/* Some files of a list on their way through the network. A file that cannot be read keeps its
   place, black: which images share a microbatch, and so their bits, then depends on the list alone
   and not on where the batches of so many threads begin. */
typedef struct Batch {
    int size; /* room */
    uint8_t *pixels;
    const uint8_t **images;
    real *results;
    Error *errors; /* of each file; text "" where it was readable */
} Batch;

static void close_batch(Batch *batch)
{
    free(batch->pixels);
    free(batch->images);
    free(batch->results);
    free(batch->errors);
}

static int open_batch(Batch *batch, const Infer *infer, size_t files, size_t result_count,
                      Error *error)
{
    /* read before they are run; more would only cost memory */
    size_t size = (size_t)infer_batch(infer);
    if (size > files)
        size = files > 0 ? files : 1;

    *batch = (Batch){ .size = (int)size };
    if ((batch->pixels = memory_block(size * infer_count(&infer->model->input), error))
        && (batch->images = memory_block(size * sizeof *batch->images, error))
        && (batch->results = memory_block(size * result_count * sizeof(real), error))
        && (batch->errors = memory_block(size * sizeof *batch->errors, error)))
        return 0;
    close_batch(batch);
    return -1;
}

static bool is_readable(const Batch *batch, int i)
{
    return batch->errors[i].text[0] == 0;
}

/* Reads files first .. first + n - 1 of the list. Returns how many were readable, -1 where one that
   had to be is not. */
static int read_batch(Batch *batch, const Infer *infer, const InferPaths *list, size_t first, int n,
                      Error *error)
{
    size_t each = infer_count(&infer->model->input);
    int good = 0;

#pragma omp parallel for schedule(dynamic, 1) num_threads(infer->threads)
    for (int i = 0; i < n; i++) {
        batch->errors[i].text[0] = 0;
        infer_read(infer->model, list->paths[first + (size_t)i], batch->pixels + (size_t)i * each,
                   list->warn, &batch->errors[i]);
    }
    for (int i = 0; i < n; i++) {
        batch->images[i] = batch->pixels + (size_t)i * each;
        if (is_readable(batch, i)) {
            good++;
        } else if (list->named[first + (size_t)i]) {
            *error = batch->errors[i];
            return -1;
        } else {
            list->warn(batch->errors[i].text);
            memset(batch->pixels + (size_t)i * each, 0, each);
        }
    }
    return good;
}

/* Who takes the results, and of how many numbers each is. */
typedef struct Taker {
    InferWhat what;
    InferTake take;
    void *context;
    size_t each;
} Taker;

/* Checks the results of a batch of n files from `first` on and hands them over. */
static int take_batch(const Batch *batch, const InferPaths *list, const Taker *taker, size_t first,
                      int n, Error *error)
{
    const char *name = taker->what == INFER_LATENT ? "latent" : "reconstruction";
    for (int i = 0; i < n; i++) {
        const size_t at = first + (size_t)i;
        const real *result = batch->results + (size_t)i * taker->each;
        if (is_readable(batch, i)
            && (infer_check_finite(result, taker->each, name, list->paths[at], error) != 0
                || taker->take(taker->context, at, batch->images[i], result, error) != 0))
            return -1;
    }
    return 0;
}

/* Files first .. first + n - 1: read, computed, handed over. Returns how many were readable, -1
   after an error. */
static int do_batch(Batch *batch, Infer *infer, const InferPaths *list, const Taker *taker,
                    size_t first, int n, Error *error)
{
    int good = read_batch(batch, infer, list, first, n, error);
    if (good <= 0)
        return good;
    if (taker->what == INFER_LATENT)
        infer_encode(infer, n, batch->images, batch->results);
    else
        infer_reconstruct(infer, n, batch->images, batch->results);
    return take_batch(batch, list, taker, first, n, error) == 0 ? good : -1;
}

int infer_files(Infer *infer, const InferPaths *list, InferWhat what, InferTake take, void *context,
                Error *error)
{
    const Model *model = infer->model;
    const Taker taker = { what, take, context,
                          infer_count(what == INFER_LATENT ? &model->latent : &model->output) };
    size_t taken = 0;
    Batch batch;
    int good = 0;

    if (open_batch(&batch, infer, list->count, taker.each, error) != 0)
        return -1;
    for (size_t first = 0; good >= 0 && first < list->count; first += (size_t)batch.size) {
        int n = list->count - first < (size_t)batch.size ? (int)(list->count - first) : batch.size;
        good = do_batch(&batch, infer, list, &taker, first, n, error);
        taken += good > 0 ? (size_t)good : 0;
    }
    close_batch(&batch);
    if (good < 0)
        return -1;
    return taken > 0 ? 0
                     : error_set(error, EXIT_INPUT, "none of the %zu pictures could be read",
                                 list->count);
}
