/* command_score.c - the command score of commands_infer.h. */
#include "commands_infer.h"

#include "formats/printable.h"
#include "formats/whole_file.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_SIZE = 800 };

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
        command_print_name("", list->paths[scores->rows[i].picture]);
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

    if (infer_paths_open(&list, infer->model, options->arguments, options->count, command_warn,
                         error)
        != 0)
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
