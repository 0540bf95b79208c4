#define _POSIX_C_SOURCE 200809L /* openat */
#include "history.h"

#include "formats/held_folder.h"
#include "formats/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] = "epoch,loss,val_loss,seconds,images_per_second,lr";
static const char stage_header[] = ",stage";
enum { COLUMNS = 6, MOST_COLUMNS };

/* One line into a row; -1 where it is none. */
static int parse_row(const char *line, int columns, HistoryRow *row)
{
    double field[MOST_COLUMNS] = { 0 };
    const char *at = line;
    for (int i = 0; i < columns; i++) {
        char *end;
        field[i] = strtod(at, &end);
        if (end == at) {
            if (i != 2)
                return -1;
            field[i] = NAN;
        }
        if (i < columns - 1 ? *end != ',' : *end != '\n' && *end != '\r' && *end != '\0')
            return -1;
        at = end + 1;
    }
    if (!(field[0] >= 1 && field[0] < 1e15 && field[COLUMNS] >= 0 && field[COLUMNS] < 1e6))
        return -1;
    *row = (HistoryRow){ (uint64_t)field[0], field[1], field[2],           field[3],
                         field[4],           field[5], (int)field[COLUMNS] };
    return 0;
}

static int read_rows(History *history, FILE *file, const char *path, uint64_t epochs, Error *error)
{
    char line[512];
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        HistoryRow row;
        if (number == 1 && strncmp(line, header, strlen(header)) == 0) {
            history->staged = strncmp(line + strlen(header), stage_header, strlen(stage_header))
                              == 0;
            continue;
        }
        if (parse_row(line, history->staged ? MOST_COLUMNS : COLUMNS, &row) != 0)
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

int history_write(const History *history, const char *path, Error *error)
{
    WholeFile file;
    char message[sizeof error->text];
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    fprintf(file.stream, "%s%s\n", header, history->staged ? stage_header : "");
    for (size_t i = 0; i < history->count; i++) {
        const HistoryRow *r = &history->rows[i];
        fprintf(file.stream, "%" PRIu64 ",%.9g,", r->epoch, r->loss);
        if (!isnan(r->val_loss))
            fprintf(file.stream, "%.9g", r->val_loss);
        fprintf(file.stream, ",%.3f,%.1f,%.9g", r->seconds, r->images_per_second, r->lr);
        if (history->staged)
            fprintf(file.stream, ",%d", r->stage);
        fputc('\n', file.stream);
    }
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}

void history_free(History *history)
{
    free(history->rows);
    memset(history, 0, sizeof *history);
}
