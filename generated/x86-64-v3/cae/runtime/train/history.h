/* history.h - the table of a run's epochs: history.csv. */
#ifndef CAEC_HISTORY_H
#define CAEC_HISTORY_H

#include "error.h"
#include "model.h"

#include <stddef.h>
#include <stdint.h>

typedef struct HistoryRow {
    uint64_t epoch;           /* from 1 */
    double loss, val_loss;    /* means over images; val_loss NaN: none, an empty field */
    double seconds;           /* spent on updates, validation and saving not counted */
    double images_per_second; /* images learnt from / seconds */
    double lr;
    int stage; /* of training, from 1; 0: the network has none */
    /* of the terms of the loss, means over images, not weighted; NaN: the stage has no such term,
       or there is no validation: empty fields */
    double terms[MODEL_MAX_COLUMNS], val_terms[MODEL_MAX_COLUMNS];
} HistoryRow;

typedef struct History {
    HistoryRow *rows;
    size_t count, room;
    int staged; /* 1: the table has a column `stage` */
    /* two columns a name come last, such as mse and val_mse; the names are the caller's */
    const char *const *terms;
    int term_count;
} History;

/* Reads the rows up to epoch `epochs`, which a resumed run keeps, whether they have a stage, and
   how many terms: their names are not kept. A file that is not there gives none; a line that is no
   row is an error. */
int history_read(History *history, const char *path, uint64_t epochs, Error *error);

/* Appends a row; one of the same epoch (of a run that ended inside it) is replaced. */
int history_put(History *history, const HistoryRow *row, Error *error);

/* Writes the whole table, whole or not at all. */
int history_write(const History *history, const char *path, Error *error);

void history_free(History *history);

#endif
