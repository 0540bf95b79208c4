/* command_nearest.c - the command nearest of commands_infer.h. */
#define _XOPEN_SOURCE 700 /* S_ISDIR */
#include "commands_infer.h"

#include "formats/printable.h"
#include "formats/whole_file.h"
#include "images/report.h"
#include "memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MESSAGE_SIZE = 800 };

typedef struct Neighbour {
    size_t picture; /* its place in the list */
    double distance;
    uint8_t *pixels;
} Neighbour;

/* The nearest pictures so far; rows beyond `count` only have room for pixels. */
typedef struct Nearest {
    const Model *model;
    uint8_t *pixels; /* the picture they are near to, then room for a picture a row */
    real *latent;    /* of it */
    Neighbour *rows; /* nearest first */
    size_t count, room;
} Nearest;

static double distance(const real *a, const real *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = (double)a[i] - (double)b[i];
        sum += difference * difference;
    }
    return sqrt(sum);
}

/* Pictures come in the order of their paths, so of two that are equally near the first stays
   first. */
static int take_neighbour(void *context, size_t picture, const uint8_t *pixels, const real *latent,
                          Error *error)
{
    Nearest *n = context;
    double d = distance(n->latent, latent, infer_count(&n->model->latent));
    size_t place = n->count;

    (void)error;
    while (place > 0 && d < n->rows[place - 1].distance)
        place--;
    if (place == n->room)
        return 0;
    size_t last = n->count < n->room ? n->count++ : n->room - 1;
    uint8_t *free_pixels = n->rows[last].pixels;
    memmove(&n->rows[place + 1], &n->rows[place], (last - place) * sizeof *n->rows);
    n->rows[place] = (Neighbour){ picture, d, free_pixels };
    memcpy(free_pixels, pixels, infer_count(&n->model->input));
    return 0;
}

/* The picture, then its neighbours, SHEET_COLUMNS side by side. */
static int write_sheet(const Nearest *n, const char *path, Error *error)
{
    const ModelShape *shape = &n->model->input;
    size_t pictures = n->count + 1;
    size_t columns = pictures < SHEET_COLUMNS ? pictures : SHEET_COLUMNS;
    size_t rows = (pictures + columns - 1) / columns;
    const uint8_t **cells = memory_block(rows * columns * sizeof *cells, error);
    if (!cells)
        return -1;

    cells[0] = n->pixels;
    for (size_t i = 0; i < n->count; i++)
        cells[i + 1] = n->rows[i].pixels;
    int result = report_sheet(path, cells, (int)columns, (int)rows, shape->dim[0], shape->dim[1],
                              shape->dim[2], error);
    free(cells);
    return result;
}

static int write_csv(const Nearest *n, const InferPaths *list, const char *path, Error *error)
{
    char message[MESSAGE_SIZE];
    WholeFile file;

    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    fputs("path,distance\n", file.stream);
    for (size_t i = 0; i < n->count; i++) {
        printable_field(file.stream, list->paths[n->rows[i].picture]);
        fprintf(file.stream, ",%.9g\n", n->rows[i].distance);
    }
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}

static void print_rows(const Nearest *n, const InferPaths *list)
{
    for (size_t i = 0; i < n->count; i++) {
        printf("%.9g\t", n->rows[i].distance);
        command_print_name("", list->paths[n->rows[i].picture]);
    }
}

/* Room for the picture and `room` neighbours. */
static int open_nearest(Nearest *n, const Model *model, size_t room, Error *error)
{
    size_t bytes = infer_count(&model->input);

    *n = (Nearest){ .model = model, .room = room };
    if (!(n->pixels = memory_block((room + 1) * bytes, error))
        || !(n->latent = memory_block(infer_count(&model->latent) * sizeof(real), error))
        || !(n->rows = memory_block(room * sizeof *n->rows, error)))
        return -1;
    for (size_t i = 0; i < room; i++)
        n->rows[i].pixels = n->pixels + (i + 1) * bytes;
    return 0;
}

static void close_nearest(Nearest *n)
{
    free(n->pixels);
    free(n->latent);
    free(n->rows);
}

/* Reads and encodes the picture that the others are held against. */
static int encode_picture(Infer *infer, Nearest *n, const char *path, Error *error)
{
    const uint8_t *pixels = n->pixels;

    if (infer_read(n->model, path, n->pixels, command_warn, error) != 0)
        return -1;
    infer_encode(infer, 1, &pixels, n->latent);
    return infer_check_finite(n->latent, infer_count(&n->model->latent), "latent", path, error);
}

/* The command's words are a picture and a folder, in this order. */
static int check_words(char *const *words, Error *error)
{
    struct stat status;

    for (int i = 0; i < 2; i++) {
        if (stat(words[i], &status) != 0)
            return error_set(error, EXIT_FILE, "%s: cannot be read: %s", words[i], strerror(errno));
        if ((S_ISDIR(status.st_mode) != 0) != (i == 1))
            return error_set(error, EXIT_USAGE,
                             "%s: is %s folder; nearest takes a picture, then the folder to look "
                             "in",
                             words[i], i == 0 ? "a" : "no");
    }
    return 0;
}

int command_nearest(Infer *infer, const InferOptions *options, Error *error)
{
    Nearest n = { 0 };
    InferPaths list;

    if (command_check_png_name(options->output, error) != 0
        || check_words(options->arguments, error) != 0
        || infer_paths_open(&list, infer->model, options->arguments + 1, 1, command_warn, error)
               != 0)
        return -1;
    size_t room = list.count < (size_t)options->neighbours ? list.count
                                                           : (size_t)options->neighbours;
    infer->alone = true; /* equal pictures have equal latents */
    int result = open_nearest(&n, infer->model, room, error);
    if (result == 0)
        result = encode_picture(infer, &n, options->arguments[0], error);
    if (result == 0)
        result = infer_files(infer, &list, INFER_LATENT, take_neighbour, &n, error);
    /* One file at a time: a signal removes the one that is being written. */
    if (result == 0)
        result = write_sheet(&n, options->output, error);
    if (result == 0 && options->csv)
        result = write_csv(&n, &list, options->csv, error);
    if (result == 0)
        print_rows(&n, &list);
    close_nearest(&n);
    infer_paths_close(&list);
    return result;
}
