/* dataset.h - pictures for training, each as the model wants it (height x width x channels bytes),
 * decoded ahead of their use.
 *
 * A dataset is an ordered list of pictures: the JPEG and PNG files of a folder, any depth, sorted
 * by the bytes of their relative paths, and then those of the next folder; or built-in ones.
 * Pictures are read in an order that the caller gives; reader threads keep ahead of it. Decoded
 * pixels are kept in memory up to a limit, so that later epochs need not decode again.
 *
 * One thread calls these functions; `warn` (which may be NULL) is called from that thread only. All
 * memory for pixels is taken by dataset_open_... (the cache, which costs nothing before it is used)
 * and by dataset_start with a larger `room` than before. */
#ifndef CAEC_DATASET_H
#define CAEC_DATASET_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Dataset Dataset;

typedef struct DatasetOptions {
    int height, width, channels; /* of every picture handed out; channels 1 or 3 of a folder's */
    size_t cache_bytes;          /* keep decoded pixels up to this many bytes */
    int readers;                 /* reader threads, at least 1 */
    bool strict;                 /* an unreadable picture is an error instead of being passed over
                                    */
    int skip_unreadable;         /* one that was readable and fails later is passed over too */
} DatasetOptions;

/* What a picture's file was when a run first saw it: a resumed run holds its files against it. */
#define DATASET_RECORDS "pictures.txt" /* where a run keeps them, for messages */
typedef enum DatasetFate {
    DATASET_NOT_READ = '-',
    DATASET_READ = 'r',
    DATASET_PASSED_OVER = 'x'
} DatasetFate;

typedef struct DatasetRecord {
    char *name; /* relative to its folder */
    int folder; /* from 0 */
    DatasetFate fate;
    uint64_t hash;         /* FNV-1a of all bytes; 0: not known */
    int64_t size, seconds; /* seconds and nanoseconds: when it was last written */
    long nanoseconds;
} DatasetRecord;

typedef struct DatasetRecords {
    DatasetRecord *rows; /* in the order of the pictures; NULL: none are known */
    size_t count;
} DatasetRecords;

/* Opens a folder. Every file whose content is neither JPEG nor PNG by its first bytes, or whose
   header cannot be read, is told by `warn` (one line, no newline), counted and passed over, or
   refused where `strict`. Files and folders whose names start with a dot are not looked at. Links
   are followed, but no folder is entered within itself. A missing folder, or one without a single
   readable picture, is an error that says what was looked for and found. */
int dataset_open_folder(Dataset **dataset, const char *folder, const DatasetOptions *options,
                        void (*warn)(const char *text), Error *error);

/* Opens `count` folders, one after the other; one that is given twice, or lies within another,
   counts as often, which `warn` is told. With records of a run (known->rows not NULL) the files
   must be those: another is an error, and so is one whose content is no longer the same (its size
   or time is another, and its bytes are). One that was passed over stays so. Where
   `skip_unreadable`, one that is missing or cannot be read any more is told and passed over. */
int dataset_open_folders(Dataset **dataset, const char *const *folders, int count,
                         const DatasetRecords *known, const DatasetOptions *options,
                         void (*warn)(const char *text), Error *error);

/* Opens `count` built-in pictures of a seed (pictures.h), indices first .. first + count - 1. */
int dataset_open_pictures(Dataset **dataset, uint64_t seed, uint64_t first, size_t count,
                          const DatasetOptions *options, Error *error);

size_t dataset_count(const Dataset *dataset);

/* A picture's name: its path relative to its folder, or "built-in picture 17". Valid as long as the
 * dataset. */
const char *dataset_name(const Dataset *dataset, size_t picture);

/* 64-bit FNV-1a hash of all names, the sizes asked for and the seed of built-in pictures: tells
   whether a later run sees the same list. */
uint64_t dataset_fingerprint(const Dataset *dataset);

/* How many files turned out unreadable so far: those passed over at opening, and pictures that
   could not be decoded. */
size_t dataset_unreadable(const Dataset *dataset);

/* Takes note of the bytes of all files, where these are together no more than `most`: what is
 * changed later is then known to be so before it is first read. */
int dataset_note_bytes(Dataset *dataset, int64_t most, Error *error);

/* What is known of the files by now, valid until the next call; and whether that is more than at
 * the last call. No rows of built-in pictures. */
DatasetRecords dataset_records(Dataset *dataset, int *more);

/* The order of an epoch: a permutation of 0 .. n-1 that depends on (seed, epoch, n) alone
   (Fisher-Yates over a counter-based generator). */
void dataset_shuffle(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch);

/* The number from which training draws for a picture in an epoch: never 0, depends on these three
   alone. */
uint64_t dataset_number(uint64_t seed, uint64_t epoch, uint32_t picture);

/* Starts reading pictures order[0 .. n-1] in that order, n copies made; ends whatever was being
   read before. `room` is the largest number that dataset_next will be asked for at once. */
int dataset_start(Dataset *dataset, const uint32_t *order, size_t n, size_t room, Error *error);

/* Waits for the next up to `want` (<= room) readable pictures of the order: pixels[i] points to
   height * width * channels bytes, valid until the next call of dataset_next or dataset_start;
   which[i] is the picture's index. Returns how many there are, 0 at the end of the order, -1 on an
   error. A picture whose pixels cannot be decoded is told by `warn` once, counted and passed over
   (an error where `strict`), so that a batch is filled from the pictures after it. But one that was
   readable (its pixels were handed out before, or its file was opened and now it cannot be read) is
   an error, unless `skip_unreadable`: without it, it would be another training. One whose bytes are
   others than before always is. */
int dataset_next(Dataset *dataset, int want, const uint8_t **pixels, uint32_t *which, Error *error);

void dataset_close(Dataset *dataset); /* NULL is fine */

#endif
