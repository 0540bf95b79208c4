/* command_decode.c - the command decode of commands_infer.h. */
#define _DEFAULT_SOURCE /* strcasecmp, flock */
#include "commands_infer.h"

#include "formats/npy.h"
#include "formats/held_folder.h"
#include "formats/leftovers.h"
#include "images/image.h"
#include "images/pixels.h"
#include "memory.h"
#include "images/report.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 800, PICTURE_NAME = 32 }; /* of "/0000.png" */

/* Rows of latents on their way to pictures. */
typedef struct Decoding {
    Infer *infer;
    NpyReader reader;
    const char *output;
    size_t rows, latent, values; /* values: of one picture */
    volatile size_t begun;       /* pictures that wait, or are being written there */
    int batch;                   /* rows at once */
    double *numbers;             /* one row as the file has it */
    real *latents, *outputs;     /* batch of them */
    uint8_t *pixels;             /* all pictures for a sheet, else one */
    char *folder, *temporary;    /* where pictures go one by one, and where they wait until all are
                                    there; NULL: one file */
    char *waiting;               /* room for the path of a picture that waits */
    int made_folder, lock; /* lock: of the folder where they wait, for leftovers_remove; -1: none */
} Decoding;

/* For command_decode_discard: what has pictures that wait, and whether they are on their way to
   their names. */
static Decoding *volatile hidden;
static volatile sig_atomic_t moving;

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcasecmp(path + length - end, ending) == 0;
}

static int wants_folder(const char *path, int *folder, Error *error)
{
    static const char *const others[] = { ".jpg",  ".jpeg", ".gif",  ".bmp",
                                          ".webp", ".tif",  ".tiff", ".npy" };
    struct stat status;

    *folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (*folder || ends_in(path, ".png"))
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ends_in(path, others[i]))
            return error_set(
                error, EXIT_USAGE,
                "-o %s: pictures are written as PNG; name a file that ends in .png, or a folder",
                path);
    *folder = 1;
    return 0;
}

/* Opens the array and checks that its rows are latents of this network. */
static int open_rows(Decoding *d, const char *path, Error *error)
{
    const ModelShape *shape = &d->infer->model->latent;
    char message[MESSAGE_SIZE], wanted[200] = "", found[200] = "";
    NpyReader *r = &d->reader;
    int io, alone, same;

    if (npy_open(r, path, message, sizeof message, &io) != 0)
        return error_set(error, io ? EXIT_FILE : EXIT_INPUT, "%s", message);
    alone = r->rank == shape->rank;
    same = alone || r->rank == shape->rank + 1;
    for (int i = 0; same && i < shape->rank; i++)
        same = r->shape[i + !alone] == shape->dim[i];
    if (!same) {
        for (int i = 0; i < shape->rank; i++)
            snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), ", %d",
                     shape->dim[i]);
        for (int i = 0; i < r->rank; i++)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld", i ? ", " : "",
                     (long long)r->shape[i]);
        return error_set(error, EXIT_INPUT, "%s: has shape [%s]; latents of %s have shape [N%s]",
                         path, found, d->infer->model->name, wanted);
    }
    d->latent = infer_count(shape);
    d->rows = alone ? 1 : (size_t)r->shape[0];
    if (d->rows == 0)
        return error_set(error, EXIT_INPUT, "%s: holds no latents, its shape starts with 0", path);
    return 0;
}

/* The calls of that name, in the folder that is held, whatever it is called by now. */
static int remove_in_folder(const char *path, int how)
{
    const char *rest;
    int at = held_folder_at(path, &rest);
    return unlinkat(at, rest, how);
}

static int rename_in_folder(const char *from, const char *to)
{
    const char *rest_from, *rest_to;
    int at_from = held_folder_at(from, &rest_from), at_to = held_folder_at(to, &rest_to);
    return renameat(at_from, rest_from, at_to, rest_to);
}

/* A hidden folder of our own in d->folder, with the lock that says so. */
static int make_waiting(Decoding *d, size_t size)
{
    const char *rest;
    int made = -1, at;
    for (int i = 0; made != 0 && i < 1000; i++) {
        snprintf(d->temporary, size, "%s/.caec-%ld-%d%s", d->folder, (long)getpid(), i,
                 LEFTOVERS_WAITING);
        at = held_folder_at(d->temporary, &rest);
        made = mkdirat(at, rest, 0700);
        if (made != 0 && errno != EEXIST)
            break;
    }
    if (made != 0)
        return -1;
    d->lock = openat(at, rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->lock >= 0)
        flock(d->lock, LOCK_EX | LOCK_NB);
    return 0;
}

/* Makes the folder, if need be, and a hidden one in it where pictures wait. */
static int make_folders(Decoding *d, Error *error)
{
    size_t size = strlen(d->output) + 64;

    d->folder = strdup(d->output);
    d->temporary = malloc(size);
    d->waiting = malloc(size + PICTURE_NAME);
    if (!d->folder || !d->temporary || !d->waiting)
        return error_set(error, EXIT_INPUT, "out of memory");
    *d->temporary = '\0';
    d->made_folder = mkdir(d->folder, 0777) == 0;
    hidden = d;
    if ((d->made_folder || errno == EEXIST) && held_folder_open(d->folder) == 0) {
        leftovers_remove(d->folder);
        if (make_waiting(d, size) == 0)
            return 0;
    }
    return error_set(error, EXIT_FILE, "%s: cannot be written: %s", d->folder, strerror(errno));
}

/* The path of a row's picture in `folder`, into path[strlen(folder) + PICTURE_NAME]. Rows below
   10000 have four digits, all rows of one run the same number. Nothing but what a signal handler
   may do. */
static const char *picture_path(const Decoding *d, const char *folder, size_t row, char *path)
{
    size_t digits = 4;
    char *name = stpcpy(path, folder);

    for (size_t most = 10000; d->rows > most && digits < 18; most *= 10)
        digits++;
    *name = '/';
    for (size_t i = digits; i > 0; i--, row /= 10)
        name[i] = (char)('0' + row % 10);
    strcpy(name + 1 + digits, ".png");
    return path;
}

/* Removes what waits in the hidden folder, and the folder that was made, if it is empty. */
static void remove_hidden(const Decoding *d)
{
    for (size_t row = 0; row < d->begun; row++)
        remove_in_folder(picture_path(d, d->temporary, row, d->waiting), 0);
    remove_in_folder(d->temporary, AT_REMOVEDIR);
    if (d->made_folder)
        rmdir(d->folder);
}

int command_decode_discard(void)
{
    if (moving)
        return -1;
    if (!hidden)
        return 0;
    remove_hidden(hidden);
    return 1;
}

static int write_picture(const Decoding *d, const char *path, const uint8_t *pixels, Error *error)
{
    const ModelShape *shape = &d->infer->model->output;
    return image_write_png(path, shape->dim[1], shape->dim[0], shape->dim[2], pixels, error);
}

static int take_picture(Decoding *d, size_t row, const real *output, Error *error)
{
    if (!d->folder) {
        pixels_from_reals(output, d->values, d->pixels + row * d->values);
        return 0;
    }
    pixels_from_reals(output, d->values, d->pixels);
    d->begun = row + 1;
    return write_picture(d, picture_path(d, d->temporary, row, d->waiting), d->pixels, error);
}

static int read_row(Decoding *d, const char *path, size_t row, real *latent, Error *error)
{
    char message[MESSAGE_SIZE];
    int io = 0;

    if (npy_next(&d->reader, d->numbers, d->latent, message, sizeof message, &io) != 0)
        return error_set(error, io ? EXIT_FILE : EXIT_INPUT, "%s", message);
    for (size_t i = 0; i < d->latent; i++) {
        latent[i] = (real)d->numbers[i];
        if (!isfinite(latent[i]))
            return error_set(
                error, EXIT_INPUT,
                "%s: row %zu holds a value that is not a finite number, or too large for this "
                "program's",
                path, row);
    }
    return 0;
}

static int check_output(const Decoding *d, const char *path, size_t row, const real *output,
                        Error *error)
{
    char of[MESSAGE_SIZE];
    snprintf(of, sizeof of, "%s: row %zu", path, row);
    return infer_check_finite(output, d->values, "picture", of, error);
}

static int decode_all(Decoding *d, const char *path, Error *error)
{
    for (size_t first = 0; first < d->rows; first += (size_t)d->batch) {
        int n = d->rows - first < (size_t)d->batch ? (int)(d->rows - first) : d->batch;
        for (int i = 0; i < n; i++)
            if (read_row(d, path, first + (size_t)i, d->latents + (size_t)i * d->latent, error)
                != 0)
                return -1;
        infer_decode(d->infer, n, d->latents, d->outputs);
        for (int i = 0; i < n; i++) {
            const real *output = d->outputs + (size_t)i * d->values;
            if (check_output(d, path, first + (size_t)i, output, error) != 0
                || take_picture(d, first + (size_t)i, output, error) != 0)
                return -1;
        }
    }
    return 0;
}

static int write_sheet(const Decoding *d, Error *error)
{
    const ModelShape *shape = &d->infer->model->output;
    size_t columns = (size_t)ceil(sqrt((double)d->rows)), rows = (d->rows + columns - 1) / columns;
    const uint8_t **cells;

    if (d->rows == 1)
        return write_picture(d, d->output, d->pixels, error);
    if (!(cells = memory_block(rows * columns * sizeof *cells, error)))
        return -1;
    for (size_t i = 0; i < d->rows; i++)
        cells[i] = d->pixels + i * d->values;
    int result = report_sheet(d->output, cells, (int)columns, (int)rows, shape->dim[0],
                              shape->dim[1], shape->dim[2], error);
    free(cells);
    return result;
}

/* All pictures are there: gives each its name in the folder. */
static int move_pictures(const Decoding *d, Error *error)
{
    char *to = malloc(strlen(d->folder) + PICTURE_NAME);
    int failed = to ? 0 : error_set(error, EXIT_INPUT, "out of memory");

    moving = 1;
    for (size_t row = 0; !failed && row < d->rows; row++) {
        const char *from = picture_path(d, d->temporary, row, d->waiting);
        if (rename_in_folder(from, picture_path(d, d->folder, row, to)) != 0)
            failed = error_set(error, EXIT_FILE, "%s: cannot be written: %s", to, strerror(errno));
    }
    free(to);
    return failed;
}

static void clean_up(Decoding *d, int failed)
{
    if (hidden && failed)
        remove_hidden(d);
    else if (hidden)
        remove_in_folder(d->temporary, AT_REMOVEDIR);
    const bool holds = hidden != NULL;
    hidden = NULL; /* a signal's handler finds nothing to remove from here on */
    if (holds)
        held_folder_close();
    if (d->lock >= 0)
        close(d->lock);
    npy_close(&d->reader);
    free(d->folder);
    free(d->temporary);
    free(d->waiting);
    free(d->numbers);
    free(d->latents);
    free(d->outputs);
    free(d->pixels);
}

static int allocate(Decoding *d, int folder, Error *error)
{
    size_t batch = (size_t)infer_batch(d->infer);

    if (batch > d->rows)
        batch = d->rows;
    d->batch = (int)batch;
    d->values = infer_count(&d->infer->model->output);
    if ((d->numbers = memory_block(d->latent * sizeof *d->numbers, error))
        && (d->latents = memory_block(batch * d->latent * sizeof(real), error))
        && (d->outputs = memory_block(batch * d->values * sizeof(real), error))
        && (d->pixels = memory_block((folder ? 1 : d->rows) * d->values, error)))
        return folder ? make_folders(d, error) : 0;
    return -1;
}

int command_decode(Infer *infer, const InferOptions *options, Error *error)
{
    const Model *model = infer->model;
    const char *path = options->arguments[0];
    Decoding d = { .infer = infer, .output = options->output, .lock = -1 };
    int folder = 0, channels = model->output.dim[2];

    if (command_needs_decoder(model, error) != 0)
        return -1;
    if (channels != 1 && channels != 3)
        return error_set(error, EXIT_INPUT,
                         "the network %s makes images of %d channels; PNG files have 1 or 3 here",
                         model->name, channels);
    int result = wants_folder(d.output, &folder, error);
    if (result == 0)
        result = open_rows(&d, path, error);
    if (result == 0)
        result = allocate(&d, folder, error);
    if (result == 0)
        result = decode_all(&d, path, error);
    if (result == 0)
        result = folder ? move_pictures(&d, error) : write_sheet(&d, error);
    clean_up(&d, result != 0);
    return result;
}
