#define _POSIX_C_SOURCE 200809L
#include "picture_table.h"

#include "formats/held_folder.h"
#include "formats/input_file.h"
#include "formats/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char title[] = "caec pictures 1";
enum { MIN_ROW = sizeof "- 0 0 0 0.0 x" }; /* bytes, with its end */

/* ---- writing ---- */

static void put_name(FILE *stream, const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < 32 || *c == 127 || *c == '\\')
            fprintf(stream, "\\x%02x", *c);
        else
            putc(*c, stream);
}

static void put_rows(FILE *stream, const char *what, const DatasetRecords *records)
{
    fprintf(stream, "%s %zu\n", what, records->count);
    for (size_t i = 0; i < records->count; i++) {
        const DatasetRecord *r = &records->rows[i];
        fprintf(stream, "%c %d %016" PRIx64 " %" PRId64 " %" PRId64 ".%09ld ", (char)r->fate,
                r->folder, r->hash, r->size, r->seconds, r->nanoseconds);
        put_name(stream, r->name);
        putc('\n', stream);
    }
}

int picture_table_write(const PictureTable *table, const char *path, Error *error)
{
    WholeFile file;
    char message[sizeof error->text];
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    fprintf(file.stream, "%s\n", title);
    put_rows(file.stream, "train", &table->train);
    put_rows(file.stream, "val", &table->val);
    if (whole_file_commit(&file, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    return 0;
}

/* ---- reading ---- */

typedef struct Lines {
    const char *path;
    char *at, *end;
    size_t number; /* of the line that next_line gave last */
} Lines;

/* The next line, ended by 0 in place; NULL: there is none. */
static char *next_line(Lines *lines)
{
    char *line = lines->at,
         *stop = line < lines->end ? memchr(line, '\n', (size_t)(lines->end - line)) : NULL;
    if (!stop)
        return NULL;
    *stop = '\0';
    lines->at = stop + 1;
    lines->number++;
    return line;
}

static int refuse(const Lines *lines, Error *error)
{
    return error_set(error, EXIT_INPUT,
                     "%s:%zu: no table of a run's pictures; take another copy, or remove it: a run "
                     "that is resumed without it takes the pictures as they are now",
                     lines->path, lines->number + 1);
}

/* In place; 0 where it is no name. */
static int take_name(char *text)
{
    char *to = text;
    for (const char *c = text; *c; to++) {
        unsigned byte = (unsigned char)*c++;
        if (byte == '\\') {
            int used = 0;
            if (sscanf(c, "x%2x%n", &byte, &used) != 1 || used != 3 || byte == 0)
                return 0;
            c += used;
        }
        *to = (char)byte;
    }
    *to = '\0';
    return to > text;
}

static int take_row(char *line, DatasetRecord *record)
{
    char fate, *name;
    int used = 0;
    if (sscanf(line, "%c %d %16" SCNx64 " %" SCNd64 " %" SCNd64 ".%9ld%n", &fate, &record->folder,
               &record->hash, &record->size, &record->seconds, &record->nanoseconds, &used)
            != 6
        || used == 0 || line[used] != ' ')
        return 0;
    name = line + used + 1;
    record->fate = (DatasetFate)fate;
    if ((fate != DATASET_NOT_READ && fate != DATASET_READ && fate != DATASET_PASSED_OVER)
        || record->folder < 0 || record->size < 0 || !take_name(name))
        return 0;
    record->name = strdup(name);
    return 1;
}

static int out_of_memory(const Lines *lines, Error *error)
{
    return error_set(error, EXIT_INPUT, "%s: not enough memory for it", lines->path);
}

static int take_rows(Lines *lines, const char *what, DatasetRecords *records, Error *error)
{
    const char *line = next_line(lines);
    unsigned long long count = 0;
    size_t length = strlen(what);
    int used = 0;
    if (!line || strncmp(line, what, length) != 0
        || sscanf(line + length, " %llu%n", &count, &used) != 1 || line[length + (size_t)used]
        || count > (size_t)(lines->end - lines->at) / MIN_ROW)
        return refuse(lines, error);
    if (count > 0 && !(records->rows = calloc((size_t)count, sizeof *records->rows)))
        return out_of_memory(lines, error);
    for (; records->count < count; records->count++) {
        char *row = next_line(lines);
        if (!row || !take_row(row, &records->rows[records->count]))
            return refuse(lines, error);
        if (!records->rows[records->count].name)
            return out_of_memory(lines, error);
    }
    return 0;
}

static int take_table(PictureTable *table, Lines *lines, Error *error)
{
    const char *first = next_line(lines);
    if (!first || strcmp(first, title) != 0)
        return refuse(lines, error);
    if (take_rows(lines, "train", &table->train, error) != 0
        || take_rows(lines, "val", &table->val, error) != 0)
        return -1;
    return lines->at == lines->end ? 0 : refuse(lines, error);
}

int picture_table_read(PictureTable *table, const char *path, int *missing, Error *error)
{
    unsigned char *bytes;
    size_t count;
    struct stat status;
    const char *rest;
    char message[sizeof error->text];
    int at = held_folder_at(path, &rest);

    *table = (PictureTable){ 0 };
    *missing = fstatat(at, rest, &status, 0) != 0 && errno == ENOENT;
    if (*missing)
        return 0;
    if (input_file_read(path, NULL, &bytes, &count, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    Lines lines = { path, (char *)bytes, (char *)bytes + count, 0 };
    int result = take_table(table, &lines, error);
    free(bytes);
    if (result != 0)
        picture_table_free(table);
    return result;
}

static void free_rows(DatasetRecords *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->rows[i].name);
    free(records->rows);
    *records = (DatasetRecords){ 0 };
}

void picture_table_free(PictureTable *table)
{
    free_rows(&table->train);
    free_rows(&table->val);
}
