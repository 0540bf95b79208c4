#define _XOPEN_SOURCE 700 /* strcasecmp */
#include "commands_infer.h"

#include "data/dataset.h"
#include "formats/npy.h"
#include "formats/printable.h"
#include "formats/whole_file.h"
#include "images/image.h"
#include "images/pixels.h"
#include "memory.h"
#include "images/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MESSAGE_SIZE = 800 };

static void warn(const char *text)
{
    fputs("warning: ", stderr);
    printable_put(stderr, text);
    fputc('\n', stderr);
}

int command_needs_decoder(const Model *model, Error *error)
{
    if (model->decode)
        return 0;
    return error_set(
        error, EXIT_USAGE,
        "the network %s cannot decode a latent alone: its decoder reads more of the encoder than "
        "the latent; "
        "encode, reconstruct and score work",
        model->name);
}

/* Pictures of a sheet are always PNG; another ending would mislead every program that goes by
   it. */
static int check_png_name(const char *path, Error *error)
{
    size_t length = strlen(path);
    if (length > 4 && strcasecmp(path + length - 4, ".png") == 0)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "-o %s: the picture is written as PNG; give it a name that ends in .png",
                     path);
}

typedef struct Encoding {
    NpyWriter writer;
    float *values; /* one latent */
    size_t count;  /* numbers in it */
    int64_t rows;
} Encoding;

static int take_latent(void *context, size_t picture, const uint8_t *pixels, const real *latent,
                       Error *error)
{
    Encoding *encoding = context;
    (void)picture, (void)pixels, (void)error;
    for (size_t i = 0; i < encoding->count; i++)
        encoding->values[i] = (float)latent[i];
    npy_append(&encoding->writer, encoding->values, encoding->count);
    encoding->rows++;
    return 0;
}

int command_encode(Infer *infer, const InferOptions *options, Error *error)
{
    const ModelShape *latent = &infer->model->latent;
    Encoding encoding = { .count = infer_count(latent) };
    int64_t shape[NPY_MAX_RANK] = { 0 };
    char message[MESSAGE_SIZE];
    InferPaths list;

    if (infer_paths_open(&list, infer->model, options->arguments, options->count, warn, error) != 0)
        return -1;
    shape[0] = (int64_t)list.count;
    for (int i = 0; i < latent->rank; i++)
        shape[i + 1] = latent->dim[i];

    int result = -1;
    encoding.values = memory_block(encoding.count * sizeof(float), error);
    if (encoding.values
        && npy_create(&encoding.writer, options->output, latent->rank + 1, shape, message,
                      sizeof message)
               != 0)
        error_set(error, EXIT_FILE, "%s", message);
    else if (encoding.values)
        result = infer_files(infer, &list, INFER_LATENT, take_latent, &encoding, error);
    if (result == 0 && npy_commit(&encoding.writer, encoding.rows, message, sizeof message) != 0)
        result = error_set(error, EXIT_FILE, "%s", message);
    npy_abandon(&encoding.writer);
    free(encoding.values);
    infer_paths_close(&list);
    return result;
}

typedef struct Sheet {
    size_t bytes; /* of one picture */
    uint8_t *originals, *reconstructions;
    size_t count;
} Sheet;

static int take_pair(void *context, size_t picture, const uint8_t *pixels, const real *output,
                     Error *error)
{
    Sheet *sheet = context;
    (void)picture, (void)error;
    memcpy(sheet->originals + sheet->count * sheet->bytes, pixels, sheet->bytes);
    pixels_from_reals(output, sheet->bytes, sheet->reconstructions + sheet->count * sheet->bytes);
    sheet->count++;
    return 0;
}

static int write_pairs(const Sheet *sheet, const ModelShape *shape, const char *path, Error *error)
{
    size_t columns = sheet->count < SHEET_COLUMNS ? sheet->count : SHEET_COLUMNS;
    size_t rows = 2 * ((sheet->count + columns - 1) / columns);
    const uint8_t **cells = memory_block(rows * columns * sizeof *cells, error);
    if (!cells)
        return -1;

    for (size_t i = 0; i < sheet->count; i++) {
        size_t above = i / columns * 2 * columns + i % columns;
        cells[above] = sheet->originals + i * sheet->bytes;
        cells[above + columns] = sheet->reconstructions + i * sheet->bytes;
    }
    int result = report_sheet(path, cells, (int)columns, (int)rows, shape->dim[0], shape->dim[1],
                              shape->dim[2], error);
    free(cells);
    return result;
}

int command_reconstruct(Infer *infer, const InferOptions *options, Error *error)
{
    Sheet sheet = { .bytes = infer_count(&infer->model->input) };
    InferPaths list;

    if (check_png_name(options->output, error) != 0
        || infer_paths_open(&list, infer->model, options->arguments, options->count, warn, error)
               != 0)
        return -1;
    sheet.originals = memory_block(list.count * sheet.bytes, error);
    sheet.reconstructions = sheet.originals ? memory_block(list.count * sheet.bytes, error) : NULL;
    int result = sheet.reconstructions
                     ? infer_files(infer, &list, INFER_OUTPUT, take_pair, &sheet, error)
                     : -1;
    if (result == 0)
        result = write_pairs(&sheet, &infer->model->input, options->output, error);
    free(sheet.originals);
    free(sheet.reconstructions);
    infer_paths_close(&list);
    return result;
}

/* The first two readable pictures of the order that the seed makes of a folder's. */
static int pick_two(const Model *model, const InferPaths *list, uint64_t seed, uint8_t *pixels,
                    size_t *which, Error *error)
{
    size_t each = infer_count(&model->input), have = 0;
    uint32_t *order = memory_block(list->count * sizeof *order, error);
    if (!order)
        return -1;

    dataset_shuffle(order, list->count, seed, 0);
    for (size_t i = 0; i < list->count && have < 2; i++) {
        if (infer_read(model, list->paths[order[i]], pixels + have * each, warn, error) == 0)
            which[have++] = order[i];
        else
            warn(error->text);
    }
    free(order);
    if (have == 2)
        return 0;
    return error_set(
        error, EXIT_INPUT,
        "interpolation needs two different pictures; the folder has only %zu that can be read",
        have);
}

static int encode_two(Infer *infer, const InferPaths *list, const size_t *which,
                      const uint8_t *pixels, real *latents, Error *error)
{
    const size_t latent = infer_count(&infer->model->latent);
    const uint8_t *images[2] = { pixels, pixels + infer_count(&infer->model->input) };
    int result = 0;

    infer_encode(infer, 2, images, latents);
    for (size_t i = 0; i < 2 && result == 0; i++)
        result = infer_check_finite(latents + i * latent, latent, "latent", list->paths[which[i]],
                                    error);
    return result;
}

static void print_name(const char *before, const char *name)
{
    fputs(before, stdout);
    printable_put(stdout, name);
    putchar('\n');
}

/* Reads the two into pixels and encodes them. */
static int find_two(Infer *infer, const InferOptions *options, uint8_t *pixels, real *latents,
                    Error *error)
{
    const Model *model = infer->model;
    struct stat status;
    size_t each = infer_count(&model->input), which[2] = { 0, 1 };
    int folders = 0, result = 0;
    InferPaths list;

    for (int i = 0; i < options->count; i++)
        folders += stat(options->arguments[i], &status) == 0 && S_ISDIR(status.st_mode);
    if (!(options->count == 2 && folders == 0) && !(options->count == 1 && folders == 1)) {
        /* which says why it cannot be read */
        if (options->count == 1 && stat(options->arguments[0], &status) != 0)
            return infer_read(model, options->arguments[0], pixels, warn, error);
        return error_set(error, EXIT_USAGE,
                         "interpolate takes two pictures, or one folder and --seed N");
    }
    if (infer_paths_open(&list, model, options->arguments, options->count, warn, error) != 0)
        return -1;
    if (folders)
        result = pick_two(model, &list, options->seed, pixels, which, error);
    for (size_t i = 0; !folders && i < 2 && result == 0; i++)
        result = infer_read(model, list.paths[i], pixels + i * each, warn, error);
    if (result == 0)
        result = encode_two(infer, &list, which, pixels, latents, error);
    for (int i = 0; i < 2 && result == 0; i++)
        print_name(i == 0 ? "from " : "to   ", list.paths[which[i]]);
    infer_paths_close(&list);
    return result;
}

/* The row of pictures: latents[2] at the ends, count = steps + 2 pictures in all. */
static int write_row(Infer *infer, const real *ends, int count, const char *path, Error *error)
{
    const ModelShape *shape = &infer->model->output;
    size_t latent = infer_count(&infer->model->latent), output = infer_count(shape);
    real *latents = memory_block((size_t)count * latent * sizeof(real), error);
    real *outputs = latents ? memory_block((size_t)count * output * sizeof(real), error) : NULL;
    uint8_t *pixels = outputs ? memory_block((size_t)count * output, error) : NULL;
    const uint8_t **cells = pixels ? memory_block((size_t)count * sizeof *cells, error) : NULL;
    int result = -1;

    if (cells) {
        for (int i = 0; i < count; i++) {
            real t = (real)i / (real)(count - 1);
            for (size_t k = 0; k < latent; k++)
                latents[(size_t)i * latent + k] = (1 - t) * ends[k] + t * ends[latent + k];
            cells[i] = pixels + (size_t)i * output;
        }
        infer_decode(infer, count, latents, outputs);
        pixels_from_reals(outputs, (size_t)count * output, pixels);
        result = infer_check_finite(outputs, (size_t)count * output, "row of pictures", path,
                                    error);
        if (result == 0)
            result = report_sheet(path, cells, count, 1, shape->dim[0], shape->dim[1],
                                  shape->dim[2], error);
    }
    free(latents);
    free(outputs);
    free(pixels);
    free(cells);
    return result;
}

int command_interpolate(Infer *infer, const InferOptions *options, Error *error)
{
    const Model *model = infer->model;
    size_t input = infer_count(&model->input), latent = infer_count(&model->latent);

    if (check_png_name(options->output, error) != 0 || command_needs_decoder(model, error) != 0)
        return -1;
    uint8_t *pixels = memory_block(2 * input, error);
    real *latents = pixels ? memory_block(2 * latent * sizeof(real), error) : NULL;
    int result = latents ? find_two(infer, options, pixels, latents, error) : -1;
    if (result == 0)
        result = write_row(infer, latents, options->steps + 2, options->output, error);
    free(pixels);
    free(latents);
    return result;
}

typedef struct Score {
    size_t picture;
    double mse, psnr;
} Score;

typedef struct Scores {
    Score *rows;
    size_t count, values; /* values: of one picture */
} Scores;

/* A picture that comes back exactly would have no finite PSNR; this is less than float32 can tell
   apart. */
static const double most_psnr = 200;

static int take_score(void *context, size_t picture, const uint8_t *pixels, const real *output,
                      Error *error)
{
    Scores *scores = context;
    double sum = 0;

    (void)error;
    for (size_t i = 0; i < scores->values; i++) {
        double difference = (double)output[i] - pixels[i] / 255.0;
        sum += difference * difference;
    }
    double mse = sum / (double)scores->values;
    scores->rows[scores->count++] = (Score){ picture, mse, fmin(10 * log10(1 / mse), most_psnr) };
    return 0;
}

/* Largest error first; equal ones in the order of the list. */
static int by_error(const void *left, const void *right)
{
    const Score *a = left, *b = right;
    if (a->mse != b->mse)
        return a->mse > b->mse ? -1 : 1;
    return a->picture < b->picture ? -1 : 1;
}

static int write_csv(const Scores *scores, const InferPaths *list, const char *path, Error *error)
{
    char message[MESSAGE_SIZE];
    WholeFile file;

    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    fputs("path,mse,psnr\n", file.stream);
    for (size_t i = 0; i < scores->count; i++) {
        printable_field(file.stream, list->paths[scores->rows[i].picture]);
        fprintf(file.stream, ",%.9g,%.6f\n", scores->rows[i].mse, scores->rows[i].psnr);
    }
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}

static void print_scores(const Scores *scores, const InferPaths *list)
{
    double mse = 0, psnr = 0;

    printf("mse         PSNR dB  picture\n");
    for (size_t i = 0; i < scores->count; i++) {
        printf("%-10.8f  %7.2f  ", scores->rows[i].mse, scores->rows[i].psnr);
        print_name("", list->paths[scores->rows[i].picture]);
        mse += scores->rows[i].mse;
        psnr += scores->rows[i].psnr;
    }
    printf("%-10.8f  %7.2f  mean of %zu\n", mse / (double)scores->count,
           psnr / (double)scores->count, scores->count);
}

int command_score(Infer *infer, const InferOptions *options, Error *error)
{
    Scores scores = { .values = infer_count(&infer->model->input) };
    InferPaths list;

    if (infer_paths_open(&list, infer->model, options->arguments, options->count, warn, error) != 0)
        return -1;
    scores.rows = memory_block(list.count * sizeof *scores.rows, error);
    int result = scores.rows ? infer_files(infer, &list, INFER_OUTPUT, take_score, &scores, error)
                             : -1;
    if (result == 0) {
        qsort(scores.rows, scores.count, sizeof *scores.rows, by_error);
        if (options->csv)
            result = write_csv(&scores, &list, options->csv, error);
    }
    if (result == 0)
        print_scores(&scores, &list);
    free(scores.rows);
    infer_paths_close(&list);
    return result;
}
