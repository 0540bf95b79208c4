#include "tuning.h"

#include "../base/arena.h"
#include "../base/files.h"
#include "../base/diag.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20, WORD = 120 };

static const char title[] = "# caec --tune:";

/* One line; false where it is empty or a remark. */
static bool read_row(Loc loc, const char *line, TuningRow *row)
{
    char layer[WORD + 1], direction[WORD + 1], kernel[WORD + 1], rest;
    double microseconds;
    if (line[strspn(line, " \t\r")] == 0 || line[0] == '#')
        return false;
    if (sscanf(line, "%120s %120s %120s %lf %c", layer, direction, kernel, &microseconds, &rest)
            != 4
        || !(microseconds > 0))
        fail(loc, "a line of measured times is: layer direction kernel microseconds");
    *row = (TuningRow){ arena_copy(layer, strlen(layer)), arena_copy(direction, strlen(direction)),
                        arena_copy(kernel, strlen(kernel)), microseconds };
    return true;
}

Tuning *tuning_read(const char *path)
{
    Text text = files_read(path, FILE_LIMIT);
    Tuning *tuning = ARENA_NEW(Tuning);
    char target[WORD + 1], real[WORD + 1];
    if (strncmp(text.data, title, strlen(title)) != 0
        || sscanf(text.data + strlen(title), " target %120s real %120s", target, real) != 2)
        fail((Loc){ path, 1, 0 },
             "this is no file of measured times; make one with caec GRAPH.lua --tune FILE");
    tuning->target = arena_copy(target, strlen(target));
    tuning->real = arena_copy(real, strlen(real));
    int lines = 1;
    for (const char *p = text.data; *p; p++)
        lines += *p == '\n';
    tuning->rows = ARENA_ARRAY(TuningRow, lines);
    const char *p = text.data;
    for (int i = 1; i <= lines; i++) {
        size_t length = strcspn(p, "\n");
        if (read_row((Loc){ path, i, 0 }, arena_copy(p, length), &tuning->rows[tuning->count]))
            tuning->count++;
        p += length + (p[length] == '\n');
    }
    return tuning;
}

Text tuning_text(const Tuning *tuning)
{
    Text text = { 0 };
    text_add(
        &text,
        "%s target %s real %s\n# layer, direction, kernel, microseconds an image on one thread\n",
        title, tuning->target, tuning->real);
    for (int i = 0; i < tuning->count; i++) {
        const TuningRow *row = &tuning->rows[i];
        text_add(&text, "%-20s %-8s %-14s %10.1f\n", row->layer, row->direction, row->kernel,
                 row->microseconds);
    }
    return text;
}

double tuning_find(const Tuning *tuning, const char *layer, const char *direction,
                   const char *kernel)
{
    for (int i = 0; tuning && i < tuning->count; i++) {
        const TuningRow *row = &tuning->rows[i];
        if (strcmp(row->layer, layer) != 0 || strcmp(row->kernel, kernel) != 0)
            continue;
        if (strcmp(row->direction, direction) == 0)
            return row->microseconds;
        if (strcmp(row->direction, "dX+dW") == 0
            && (strcmp(direction, "dX") == 0 || strcmp(direction, "dW") == 0))
            return row->microseconds / 2;
    }
    return -1;
}
