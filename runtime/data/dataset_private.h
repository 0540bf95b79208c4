/* dataset_private.h - what the files of the dataset room share. */
#ifndef CAEC_DATASET_PRIVATE_H
#define CAEC_DATASET_PRIVATE_H

#include "dataset.h"

#include <pthread.h>
#include <stdbool.h>

/* A growing list of pictures by their names; each of them is malloc'ed, as is the array. */
typedef struct NameList {
    DatasetRecord *rows;
    size_t count, room;
} NameList;

/* Takes over a malloc'ed name, also where it fails (-1: out of memory). NULL counts as that
   failure. */
int name_list_add(NameList *list, char *name);
void name_list_free(NameList *list);

/* A picture's place in memory. */
typedef enum Kept {
    KEPT_NOT,
    KEPT_SOON,
    KEPT_HERE
} Kept; /* SOON: a reader is copying it into the cache */

typedef struct Picture {
    const uint8_t *pixels; /* in the cache, where KEPT_HERE */
    Kept kept;
    int unreadable; /* and told so: not tried again */
} Picture;

/* Position p of the order is read into slot p % slot_count. A reader claims the next position once
   its slot is empty. dataset_next takes results out in order: it swaps the slot's buffer against
   one of its own, so that a slot is free again at once, whatever the caller still holds. */
typedef enum State { SLOT_EMPTY, SLOT_BUSY, SLOT_READY, SLOT_FAILED } State;

typedef struct Slot {
    State state;
    uint8_t *buffer;
    const uint8_t *pixels; /* where READY: buffer, or in the cache */
    uint64_t hash;         /* of the file, 0: it was not read */
    Error error;           /* where FAILED */
} Slot;

struct Dataset {
    DatasetOptions options;
    size_t picture_bytes;
    char **folders; /* folder_count; none: built-in pictures */
    int folder_count;
    uint64_t seed, first;
    NameList names;
    Picture *pictures;
    size_t unreadable;
    int noted; /* rows of `names` have changed since dataset_put_records */
    void (*warn)(const char *text);
    uint8_t *cache;
    size_t cache_room, cache_used; /* in pictures */

    pthread_t *readers;
    int reader_count;
    pthread_mutex_t lock; /* of everything below, of pictures, names.rows and cache_used */
    pthread_cond_t work, done;
    uint32_t *order;
    size_t order_count, claimed, handed; /* positions */
    int busy, quit;
    Slot *slots;
    size_t slot_count;
    uint8_t **held; /* what dataset_next gave out last: `room` buffers */
    size_t room;
};

#define DATASET_HOW_TO_GO_ON                                                                     \
    "put back what was there, or start anew; a run that is resumed without its " DATASET_RECORDS \
    " takes the pictures as they are now"

int dataset_out_of_memory(Error *error);

/* Of a file's bytes; never 0. */
uint64_t dataset_hash(const uint8_t *bytes, size_t size);

void dataset_free_slots(Dataset *dataset);

/* Reads a picture's file into pixels, and what its bytes hash to into *hash, also where they are no
 * picture; 0: they could not be read. */
int dataset_read_picture(const Dataset *dataset, size_t picture, uint8_t *pixels, uint64_t *hash,
                         Error *error);

/* Reads the file for its hash alone. */
int dataset_hash_picture(const Dataset *dataset, size_t picture, uint64_t *hash, Error *error);

/* Holds the pictures that were found against those that a run began with: dataset->names becomes
   that list. Those that are passed over are marked so in dataset->pictures, which has room for
   known->count, and counted. */
int dataset_recall(Dataset *dataset, const DatasetRecords *known, Error *error);

/* Collects the relative paths of everything below `folder` that is no folder, in bytewise order:
   names with a leading dot are left out, links are followed, a folder that contains itself through
   a link is not entered again. A folder within that cannot be read is told by `warn` and left out,
   or is an error where `strict`; `folder` itself not being readable is an error. */
int dataset_scan(NameList *files, const char *folder, bool strict, void (*warn)(const char *text),
                 Error *error);

/* Keeps those files of the list whose first bytes and header are those of a JPEG or PNG picture.
   Another is told by `warn` and left out, or is an error where `strict`; *first receives the reason
   for the first. */
int dataset_sift(NameList *files, const char *folder, bool strict, void (*warn)(const char *text),
                 Error *first, Error *error);

/* folder/name, malloc'ed; NULL: out of memory. An empty folder gives the name alone. */
char *dataset_path(const char *folder, const char *name);

#endif
