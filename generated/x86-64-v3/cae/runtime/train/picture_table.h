/* picture_table.h - pictures.txt: what the files of a run's pictures were like, so that a resumed
 * run notices when they are others.
 *
 *     caec pictures 1
 *     train 1155
 *     r 0 1f2e3d4c5b6a7988 20311 1700000000.123456789 n02085620/1.jpg
 *     ...
 *     val 0
 *
 * A line a picture: r learnt from or looked at, x passed over, - neither yet; its folder, from 0;
 * the hash of its bytes, 0 where it is not known; their number; when they were last written; the
 * name, where \xHH stands for a byte that would break the line. */
#ifndef CAEC_PICTURE_TABLE_H
#define CAEC_PICTURE_TABLE_H

#include "data/dataset.h"
#include "error.h"

typedef struct PictureTable {
    DatasetRecords train, val; /* rows NULL: built-in pictures, or none */
} PictureTable;

/* Reads it. A file that is not there gives no rows; *missing tells so. Refuses what is no such
 * table. The holder calls picture_table_free. */
int picture_table_read(PictureTable *table, const char *path, int *missing, Error *error);
void picture_table_free(PictureTable *table);

/* Writes it, whole or not at all; the rows stay the caller's. */
int picture_table_write(const PictureTable *table, const char *path, Error *error);

#endif
