/* dataset_record.c - the part of dataset.h that knows what the files of a run's pictures were. */
#define _POSIX_C_SOURCE 200809L
#include "dataset.h"

#include "dataset_private.h"
#include "formats/checksum.h"
#include "images/image.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t dataset_hash(const uint8_t *bytes, size_t size)
{
    uint64_t hash = checksum_bytes(CHECKSUM_START, bytes, size);
    return hash ? hash : 1;
}

int dataset_hash_picture(const Dataset *dataset, size_t picture, uint64_t *hash, Error *error)
{
    const DatasetRecord *record = &dataset->names.rows[picture];
    size_t size;
    char *path = dataset_path(dataset->folders[record->folder], record->name);
    uint8_t *bytes = path ? image_load(path, &size, error) : NULL;
    int result = bytes ? 0 : path ? -1 : dataset_out_of_memory(error);
    if (bytes)
        *hash = dataset_hash(bytes, size);
    free(bytes);
    free(path);
    return result;
}

int dataset_note_bytes(Dataset *dataset, int64_t most, Error *error)
{
    Error ignored;
    int64_t all = 0;
    if (dataset->folder_count == 0)
        return 0;
    for (size_t i = 0; i < dataset->names.count && all <= most; i++)
        all += dataset->names.rows[i].size;
    for (size_t i = 0; i < dataset->names.count && all <= most; i++)
        if (dataset_hash_picture(dataset, i, &dataset->names.rows[i].hash, &ignored) != 0
            && ignored.shortage) {
            *error = ignored; /* another failure comes again when the picture is wanted */
            return -1;
        }
    dataset->noted = 1;
    return 0;
}

DatasetRecords dataset_records(Dataset *dataset, int *more)
{
    *more = dataset->noted;
    dataset->noted = 0;
    return (DatasetRecords){ dataset->folder_count ? dataset->names.rows : NULL,
                             dataset->folder_count ? dataset->names.count : 0 };
}

/* ---- a resumed run ---- */

static int compare(const DatasetRecord *a, const DatasetRecord *b)
{
    return a->folder != b->folder ? a->folder - b->folder : strcmp(a->name, b->name);
}

static const char *folder_of(const Dataset *dataset, const DatasetRecord *record)
{
    return record->folder < dataset->folder_count ? dataset->folders[record->folder]
                                                  : "a folder that is not given any more";
}

/* Picture i stays what it is in the run's list, and is never read. */
static void pass_over(Dataset *dataset, size_t i)
{
    dataset->pictures[i].unreadable = 1;
    dataset->names.rows[i].fate = DATASET_PASSED_OVER;
    dataset->unreadable++;
}

static void tell_passed_over(Dataset *dataset, size_t i, const char *why)
{
    Error problem;
    const DatasetRecord *record = &dataset->names.rows[i];
    error_set(&problem, EXIT_INPUT, "%.300s/%.300s: %s", folder_of(dataset, record), record->name,
              why);
    if (dataset->warn)
        dataset->warn(problem.text);
    pass_over(dataset, i);
    dataset->noted = 1;
}

/* Picture i is not among the files that can be read. */
static int is_missing(Dataset *dataset, size_t i, Error *error)
{
    const DatasetRecord *record = &dataset->names.rows[i];
    if (record->fate == DATASET_PASSED_OVER) {
        pass_over(dataset, i);
        return 0;
    }
    if (dataset->options.skip_unreadable) {
        tell_passed_over(dataset, i, "is not there, or cannot be read any more");
        return 0;
    }
    return error_set(error, EXIT_INPUT,
                     "%.250s/%.250s: was there when the run began, and is not there or cannot be "
                     "read any more, so these are other pictures; "
                     "put it back, or give --skip-unreadable to go on without it",
                     folder_of(dataset, record), record->name);
}

/* Whether picture i can be made out at all, for whoever would rather pass over it. */
static bool is_readable(const Dataset *dataset, size_t i)
{
    Error ignored;
    uint64_t hash;
    uint8_t *pixels = malloc(dataset->picture_bytes);
    int readable = pixels && dataset_read_picture(dataset, i, pixels, &hash, &ignored) == 0;
    free(pixels);
    return readable;
}

/* Picture i has another size or time than the run knows: its bytes decide. Where these were never
 * read, no run has learnt from them. */
static int check_bytes(Dataset *dataset, size_t i, const DatasetRecord *now, Error *error)
{
    DatasetRecord *record = &dataset->names.rows[i];
    uint64_t hash = 0;
    Error problem;
    int failed = dataset_hash_picture(dataset, i, &hash, &problem);
    if (failed && !dataset->options.skip_unreadable) {
        *error = problem;
        return -1;
    }
    if (!failed && record->size == now->size && (record->hash == 0 || record->hash == hash)) {
        dataset->noted |= record->hash == 0;
        record->hash = hash;
        record->seconds = now->seconds;
        record->nanoseconds = now->nanoseconds;
        return 0;
    }
    if (failed || (dataset->options.skip_unreadable && !is_readable(dataset, i))) {
        tell_passed_over(dataset, i, "cannot be read any more");
        return 0;
    }
    return error_set(
        error, EXIT_INPUT,
        "%.200s/%.200s: its content has changed since the run began%s; " DATASET_HOW_TO_GO_ON,
        folder_of(dataset, record), record->name,
        dataset->folder_count > 1 ? ", or the folders come in another order" : "");
}

/* Picture i was found as `now`. */
static int is_found(Dataset *dataset, size_t i, const DatasetRecord *now, Error *error)
{
    const DatasetRecord *record = &dataset->names.rows[i];
    if (record->fate == DATASET_PASSED_OVER) {
        pass_over(dataset, i);
        return 0;
    }
    if (record->size == now->size && record->seconds == now->seconds
        && record->nanoseconds == now->nanoseconds)
        return 0;
    return check_bytes(dataset, i, now, error);
}

static int copy_list(NameList *list, const DatasetRecords *known)
{
    for (size_t i = 0; i < known->count; i++) {
        if (name_list_add(list, strdup(known->rows[i].name)) != 0)
            return -1;
        char *name = list->rows[i].name;
        list->rows[i] = known->rows[i];
        list->rows[i].name = name;
    }
    return 0;
}

/* Both lists are in one order, so one walk along the two finds what is in one alone. */
static int hold_against(Dataset *dataset, const NameList *found, Error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < dataset->names.count; i++) {
        int order = at < found->count ? compare(&found->rows[at], &dataset->names.rows[i]) : 1;
        if (order < 0)
            break;
        if ((order > 0 ? is_missing(dataset, i, error)
                       : is_found(dataset, i, &found->rows[at], error))
            != 0)
            return -1;
        at += order == 0;
    }
    if (at == found->count)
        return 0;
    return error_set(error, EXIT_INPUT,
                     "%.250s/%.250s: was not among the pictures that the run began with, so these "
                     "are other pictures; move it away",
                     folder_of(dataset, &found->rows[at]), found->rows[at].name);
}

int dataset_recall(Dataset *dataset, const DatasetRecords *known, Error *error)
{
    NameList found = dataset->names;
    dataset->names = (NameList){ 0 };
    int result = copy_list(&dataset->names, known) == 0 ? hold_against(dataset, &found, error)
                                                        : dataset_out_of_memory(error);
    name_list_free(&found);
    return result;
}
