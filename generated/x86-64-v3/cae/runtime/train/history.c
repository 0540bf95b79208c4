#define _POSIX_C_SOURCE 200809L /* openat */
#include "history.h"

#include "formats/held_folder.h"
#include "formats/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] = "epoch,loss,val_loss,seconds,images_per_second,lr";
static const char stage_header[] = ",stage";
enum { COLUMNS = 6, MOST_COLUMNS = COLUMNS + 1 + 2 * MODEL_MAX_COLUMNS };

static int column_count(const History *history)
{
    return COLUMNS + history->staged + 2 * history->term_count;
}

/* Fields that may be empty. */
static int may_lack(const History *history, int column)
{
    return column == 2 || column >= COLUMNS + history->staged;
}

/* The fields of a line, NaN where they are empty; -1 where they are not so many. */
static int parse_fields(const char *line, const History *history, double *field)
{
    const char *at = line;
    const int columns = column_count(history);
    for (int i = 0; i < columns; i++) {
        char *end;
        field[i] = strtod(at, &end);
        if (end == at) {
            if (!may_lack(history, i))
                return -1;
            field[i] = NAN;
        }
        if (i < columns - 1 ? *end != ',' : *end != '\n' && *end != '\r' && *end != '\0')
            return -1;
        at = end + 1;
    }
    return 0;
}

/* One line into a row; -1 where it is none. */
static int parse_row(const char *line, const History *history, HistoryRow *row)
{
    double field[MOST_COLUMNS] = { 0 };
    if (parse_fields(line, history, field) != 0)
        return -1;
    const double *terms = field + COLUMNS + history->staged,
                 stage = history->staged ? terms[-1] : 0;
    if (!(field[0] >= 1 && field[0] < 1e15 && stage >= 0 && stage < 1e6))
        return -1;
    *row = (HistoryRow){ .epoch = (uint64_t)field[0],
                         .loss = field[1],
                         .val_loss = field[2],
                         .seconds = field[3],
                         .images_per_second = field[4],
                         .lr = field[5],
                         .stage = (int)stage };
    for (int i = 0; i < history->term_count; i++) {
        row->terms[i] = terms[i];
        row->val_terms[i] = terms[history->term_count + i];
    }
    return 0;
}

/* What columns there are besides the usual ones; false where the line is no header. */
static bool parse_header(const char *line, History *history)
{
    const char *rest = line + strlen(header);
    int commas = 0;
    if (strncmp(line, header, strlen(header)) != 0)
        return false;
    history->staged = strncmp(rest, stage_header, strlen(stage_header)) == 0;
    for (; *rest; rest++)
        commas += *rest == ',';
    history->term_count = (commas - history->staged) / 2;
    if (history->term_count > MODEL_MAX_COLUMNS)
        history->term_count = 0;
    return true;
}

static int read_rows(History *history, FILE *file, const char *path, uint64_t epochs, Error *error)
{
    char line[2048];
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        HistoryRow row;
        if (number == 1 && parse_header(line, history))
            continue;
        if (parse_row(line, history, &row) != 0)
            return error_set(
                error, EXIT_INPUT,
                "%s:%d: not a row of a run's history (%s); put it right or move the file away",
                path, number, header);
        if (row.epoch <= epochs && history_put(history, &row, error) != 0)
            return -1;
    }
    return ferror(file)
               ? error_set(error, EXIT_FILE, "%s: cannot be read: %s", path, strerror(errno))
               : 0;
}

/* Where the run's folder is held, from there. */
static FILE *open_in_place(const char *path)
{
    const char *rest;
    int at = held_folder_at(path, &rest), fd = openat(at, rest, O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!file && fd >= 0) {
        close(fd);
        errno = ENOMEM;
    }
    return file;
}

int history_read(History *history, const char *path, uint64_t epochs, Error *error)
{
    memset(history, 0, sizeof *history);
    FILE *file = open_in_place(path);
    if (!file)
        return errno == ENOENT
                   ? 0
                   : error_set(error, EXIT_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    int result = read_rows(history, file, path, epochs, error);
    fclose(file);
    if (result != 0)
        history_free(history);
    return result;
}

int history_put(History *history, const HistoryRow *row, Error *error)
{
    while (history->count > 0 && history->rows[history->count - 1].epoch >= row->epoch)
        history->count--;
    if (history->count == history->room) {
        size_t room = history->room ? 2 * history->room : 64;
        HistoryRow *rows = realloc(history->rows, room * sizeof *rows);
        if (!rows)
            return error_set(error, EXIT_INPUT, "out of memory for the history of %zu epochs",
                             room);
        history->rows = rows;
        history->room = room;
    }
    history->rows[history->count++] = *row;
    return 0;
}

/* An empty field where it is no number. */
static void write_number(FILE *out, double value)
{
    fputc(',', out);
    if (!isnan(value))
        fprintf(out, "%.9g", value);
}

static void write_header(FILE *out, const History *history)
{
    fprintf(out, "%s%s", header, history->staged ? stage_header : "");
    for (int i = 0; i < 2 * history->term_count; i++)
        fprintf(out, ",%s%s", i < history->term_count ? "" : "val_",
                history->terms[i % history->term_count]);
    fputc('\n', out);
}

static void write_row(FILE *out, const History *history, const HistoryRow *r)
{
    fprintf(out, "%" PRIu64 ",%.9g", r->epoch, r->loss);
    write_number(out, r->val_loss);
    fprintf(out, ",%.3f,%.1f,%.9g", r->seconds, r->images_per_second, r->lr);
    if (history->staged)
        fprintf(out, ",%d", r->stage);
    for (int i = 0; i < history->term_count; i++)
        write_number(out, r->terms[i]);
    for (int i = 0; i < history->term_count; i++)
        write_number(out, r->val_terms[i]);
    fputc('\n', out);
}

int history_write(const History *history, const char *path, Error *error)
{
    WholeFile file;
    char message[sizeof error->text];
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    write_header(file.stream, history);
    for (size_t i = 0; i < history->count; i++)
        write_row(file.stream, history, &history->rows[i]);
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}

void history_free(History *history)
{
    free(history->rows);
    memset(history, 0, sizeof *history);
}
