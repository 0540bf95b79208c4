#define _POSIX_C_SOURCE 200809L
#include "dataset.h"

#include "dataset_private.h"
#include "images/image.h"
#include "images/pictures.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A picture's place in memory. */
typedef enum Kept { KEPT_NOT, KEPT_SOON, KEPT_HERE } Kept;      /* SOON: a reader is copying it into the cache */

typedef struct Picture {
    const uint8_t *pixels;      /* in the cache, where KEPT_HERE */
    Kept kept;
    int unreadable;             /* and told so: not tried again */
} Picture;

/* Position p of the order is read into slot p % slot_count. A reader claims the next position once its slot is empty. dataset_next takes results
   out in order: it swaps the slot's buffer against one of its own, so that a slot is free again at once, whatever the caller still holds. */
typedef enum State { SLOT_EMPTY, SLOT_BUSY, SLOT_READY, SLOT_FAILED } State;

typedef struct Slot {
    State state;
    uint8_t *buffer;
    const uint8_t *pixels;      /* where READY: buffer, or in the cache */
    Error error;                /* where FAILED */
} Slot;

struct Dataset {
    DatasetOptions options;
    size_t picture_bytes;
    char *folder;               /* NULL: built-in pictures */
    uint64_t seed, first;
    NameList names;
    Picture *pictures;
    size_t unreadable;
    void (*warn)(const char *text);
    uint8_t *cache;
    size_t cache_room, cache_used;      /* in pictures */

    pthread_t *readers;
    int reader_count;
    pthread_mutex_t lock;               /* of everything below, of pictures and of cache_used */
    pthread_cond_t work, done;
    uint32_t *order;
    size_t order_count, claimed, handed;    /* positions */
    int busy, quit;
    Slot *slots;
    size_t slot_count;
    uint8_t **held;                     /* what dataset_next gave out last: `room` buffers */
    size_t room;
};

/* ---- Opening ---- */

static int out_of_memory(Error *error)
{
    return error_set(error, EXIT_INPUT, "not enough memory for the pictures; use a smaller batch or --cache-memory");
}

/* The cache is one block taken at the start, which costs nothing before it is used; where it cannot be had, less of it will do. */
static int make_store(Dataset *dataset, Error *error)
{
    size_t count = dataset->names.count, room = dataset->options.cache_bytes / dataset->picture_bytes;
    dataset->pictures = calloc(count ? count : 1, sizeof *dataset->pictures);
    if (!dataset->pictures)
        return out_of_memory(error);
    for (room = room < count ? room : count; room > 0 && !dataset->cache; room /= 2) {
        dataset->cache = malloc(room * dataset->picture_bytes);
        dataset->cache_room = dataset->cache ? room : 0;
    }
    return 0;
}

static Dataset *make_dataset(const DatasetOptions *options)
{
    Dataset *dataset = calloc(1, sizeof *dataset);
    if (!dataset)
        return NULL;
    dataset->options = *options;
    dataset->picture_bytes = (size_t)options->height * (size_t)options->width * (size_t)options->channels;
    pthread_mutex_init(&dataset->lock, NULL);
    pthread_cond_init(&dataset->work, NULL);
    pthread_cond_init(&dataset->done, NULL);
    return dataset;
}

static int open_folder(Dataset *dataset, const char *folder, Error *error)
{
    Error first;
    dataset->folder = strdup(*folder ? folder : ".");
    if (!dataset->folder)
        return out_of_memory(error);
    if (dataset_scan(&dataset->names, dataset->folder, dataset->options.strict, dataset->warn, error) != 0)
        return -1;
    size_t files = dataset->names.count;
    if (files > UINT32_MAX)
        return error_set(error, EXIT_INPUT, "%s: more than 2^32 files; use a part of them", folder);
    if (dataset_sift(&dataset->names, dataset->folder, dataset->options.strict, dataset->warn, &first, error) != 0)
        return -1;
    dataset->unreadable = files - dataset->names.count;
    if (files == 0)
        return error_set(error, EXIT_INPUT, "%s: no files in it (looked for JPEG and PNG pictures, at any depth); name a folder of pictures", folder);
    if (dataset->names.count == 0)
        return error_set(error, EXIT_INPUT, "%s: none of its %zu file%s is a readable JPEG or PNG picture; name a folder of pictures. The first: %.300s",
                         folder, files, files == 1 ? "" : "s", first.text);
    return make_store(dataset, error);
}

int dataset_open_folder(Dataset **dataset, const char *folder, const DatasetOptions *options, void (*warn)(const char *text), Error *error)
{
    *dataset = make_dataset(options);
    if (!*dataset)
        return out_of_memory(error);
    (*dataset)->warn = warn;
    if (open_folder(*dataset, folder, error) == 0)
        return 0;
    dataset_close(*dataset);
    *dataset = NULL;
    return -1;
}

static int open_pictures(Dataset *dataset, uint64_t seed, uint64_t first, size_t count, Error *error)
{
    dataset->seed = seed;
    dataset->first = first;
    for (size_t i = 0; i < count; i++) {
        char name[48];
        snprintf(name, sizeof name, "built-in picture %llu", (unsigned long long)(first + i));
        if (name_list_add(&dataset->names, strdup(name)) != 0)
            return out_of_memory(error);
    }
    return make_store(dataset, error);
}

int dataset_open_pictures(Dataset **dataset, uint64_t seed, uint64_t first, size_t count, const DatasetOptions *options, Error *error)
{
    *dataset = make_dataset(options);
    if (!*dataset)
        return out_of_memory(error);
    if (open_pictures(*dataset, seed, first, count, error) == 0)
        return 0;
    dataset_close(*dataset);
    *dataset = NULL;
    return -1;
}

/* ---- Reading (in the readers' threads) ---- */

static int read_picture(const Dataset *dataset, uint32_t picture, uint8_t *pixels, Error *error)
{
    const DatasetOptions *o = &dataset->options;
    if (!dataset->folder) {
        picture_draw(dataset->seed, dataset->first + picture, o->height, o->width, o->channels, pixels);
        return 0;
    }
    Image image = { 0 };
    char *path = dataset_path(dataset->folder, dataset->names.names[picture]);
    int result = path ? image_read(&image, path, error) : out_of_memory(error);
    if (result == 0)
        result = image_fit(&image, o->width, o->height, o->channels, pixels, error);
    image_free(&image);
    free(path);
    return result;
}

/* Copies fresh pixels into the cache while there is room. The lock is held on entry and on return, not in between. */
static void keep_picture(Dataset *dataset, Picture *picture, const uint8_t *pixels)
{
    if (picture->kept != KEPT_NOT || dataset->cache_used == dataset->cache_room)
        return;
    uint8_t *place = dataset->cache + dataset->cache_used++ * dataset->picture_bytes;
    picture->kept = KEPT_SOON;
    pthread_mutex_unlock(&dataset->lock);
    memcpy(place, pixels, dataset->picture_bytes);
    pthread_mutex_lock(&dataset->lock);
    picture->pixels = place;
    picture->kept = KEPT_HERE;
}

/* Fills a claimed slot. The lock is held on entry and on return. */
static void fill_slot(Dataset *dataset, Slot *slot, uint32_t index)
{
    Picture *picture = &dataset->pictures[index];
    if (picture->kept == KEPT_HERE) {
        slot->pixels = picture->pixels;
        slot->state = SLOT_READY;
        return;
    }
    if (picture->unreadable) {
        slot->state = SLOT_FAILED;
        return;
    }
    pthread_mutex_unlock(&dataset->lock);
    int result = read_picture(dataset, index, slot->buffer, &slot->error);
    pthread_mutex_lock(&dataset->lock);
    if (result == 0)
        keep_picture(dataset, picture, slot->buffer);
    slot->pixels = slot->buffer;
    slot->state = result == 0 ? SLOT_READY : SLOT_FAILED;
}

static void *reader(void *argument)
{
    Dataset *dataset = argument;
    pthread_mutex_lock(&dataset->lock);
    while (!dataset->quit) {
        size_t position = dataset->claimed;
        if (position == dataset->order_count || dataset->slots[position % dataset->slot_count].state != SLOT_EMPTY) {
            pthread_cond_wait(&dataset->work, &dataset->lock);
            continue;
        }
        Slot *slot = &dataset->slots[position % dataset->slot_count];
        slot->state = SLOT_BUSY;
        dataset->claimed++;
        dataset->busy++;
        fill_slot(dataset, slot, dataset->order[position]);
        dataset->busy--;
        pthread_cond_broadcast(&dataset->done);
    }
    pthread_mutex_unlock(&dataset->lock);
    return NULL;
}

/* Signals are for the caller's thread: readers start with all of them blocked. */
static int start_readers(Dataset *dataset, Error *error)
{
    int wanted = dataset->options.readers > 0 ? dataset->options.readers : 1;
    if (!dataset->readers)
        dataset->readers = calloc((size_t)wanted, sizeof *dataset->readers);
    if (!dataset->readers)
        return out_of_memory(error);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = 0;
    while (dataset->reader_count < wanted && !failed) {
        failed = pthread_create(&dataset->readers[dataset->reader_count], NULL, reader, dataset);
        dataset->reader_count += !failed;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (dataset->reader_count == 0)
        return error_set(error, EXIT_INPUT, "cannot start a thread to read pictures: %s; try fewer --threads", strerror(failed));
    return 0;       /* fewer than asked for will do */
}

/* ---- Handing out (in the caller's thread) ---- */

static void free_slots(Dataset *dataset)
{
    for (size_t i = 0; dataset->slots && i < dataset->slot_count; i++)
        free(dataset->slots[i].buffer);
    for (size_t i = 0; dataset->held && i < dataset->room; i++)
        free(dataset->held[i]);
    free(dataset->slots);
    free(dataset->held);
    dataset->slots = NULL;
    dataset->held = NULL;
    dataset->slot_count = dataset->room = 0;
}

/* Room for a batch that is being used, the next one, and what the readers are at. */
static int make_slots(Dataset *dataset, size_t room)
{
    free_slots(dataset);
    size_t slots = room + 2 * (size_t)(dataset->options.readers > 0 ? dataset->options.readers : 1);
    dataset->slots = calloc(slots, sizeof *dataset->slots);
    dataset->held = calloc(room, sizeof *dataset->held);
    dataset->slot_count = slots;
    dataset->room = room;
    if (!dataset->slots || !dataset->held)
        return -1;
    int failed = 0;
    for (size_t i = 0; i < slots; i++)
        failed |= !(dataset->slots[i].buffer = malloc(dataset->picture_bytes));
    for (size_t i = 0; i < room; i++)
        failed |= !(dataset->held[i] = malloc(dataset->picture_bytes));
    return failed ? -1 : 0;
}

/* Lets no reader claim anything more, waits for those at work, and forgets what they read. */
static void stop_reading(Dataset *dataset)
{
    pthread_mutex_lock(&dataset->lock);
    dataset->order_count = dataset->claimed;
    while (dataset->busy > 0)
        pthread_cond_wait(&dataset->done, &dataset->lock);
    dataset->order_count = dataset->claimed = dataset->handed = 0;
    for (size_t i = 0; i < dataset->slot_count; i++)
        dataset->slots[i].state = SLOT_EMPTY;
    pthread_mutex_unlock(&dataset->lock);
}

int dataset_start(Dataset *dataset, const uint32_t *order, size_t n, size_t room, Error *error)
{
    stop_reading(dataset);
    uint32_t *copy = malloc((n ? n : 1) * sizeof *copy);
    if (!copy)
        return out_of_memory(error);
    if (n)
        memcpy(copy, order, n * sizeof *copy);
    room = room ? room : 1;
    pthread_mutex_lock(&dataset->lock);
    free(dataset->order);
    dataset->order = copy;
    int failed = room > dataset->room && make_slots(dataset, room) != 0;
    if (failed)
        free_slots(dataset);
    else
        dataset->order_count = n;
    pthread_cond_broadcast(&dataset->work);
    pthread_mutex_unlock(&dataset->lock);
    return failed ? out_of_memory(error) : start_readers(dataset, error);
}

/* A failed slot's picture is told once, and without the lock, since `warn` may take its time. Not so where handles or memory were short: passing over
   the picture would make it another training. */
static int report_failure(Dataset *dataset, Picture *picture, Error *problem, Error *error)
{
    if (picture->unreadable)
        return 0;
    if (dataset->options.strict || problem->shortage) {
        *error = *problem;
        return -1;
    }
    picture->unreadable = 1;
    dataset->unreadable++;
    if (dataset->warn) {
        Error copy = *problem;      /* the slot may be filled anew meanwhile */
        pthread_mutex_unlock(&dataset->lock);
        dataset->warn(copy.text);
        pthread_mutex_lock(&dataset->lock);
    }
    return 0;
}

/* Takes the next position's result out of its slot: 1 with the pixels in held[i] or in the cache, 0 where it is passed over, -1. */
static int take(Dataset *dataset, int i, const uint8_t **pixels, uint32_t *which, Error *error)
{
    Slot *slot = &dataset->slots[dataset->handed % dataset->slot_count];
    while (slot->state != SLOT_READY && slot->state != SLOT_FAILED)
        pthread_cond_wait(&dataset->done, &dataset->lock);
    uint32_t index = dataset->order[dataset->handed++];
    int failed = slot->state == SLOT_FAILED;
    slot->state = SLOT_EMPTY;
    pthread_cond_signal(&dataset->work);        /* readers wait for the lock until this slot is dealt with */
    if (failed)
        return report_failure(dataset, &dataset->pictures[index], &slot->error, error);
    *pixels = slot->pixels;
    *which = index;
    if (slot->pixels == slot->buffer) {
        slot->buffer = dataset->held[i];
        dataset->held[i] = (uint8_t *)*pixels;
    }
    return 1;
}

int dataset_next(Dataset *dataset, int want, const uint8_t **pixels, uint32_t *which, Error *error)
{
    int got = 0, result = 0;
    if (want > 0 && (size_t)want > dataset->room)
        want = (int)dataset->room;
    pthread_mutex_lock(&dataset->lock);
    while (got < want && dataset->handed < dataset->order_count && result >= 0) {
        result = take(dataset, got, &pixels[got], &which[got], error);
        got += result > 0;
    }
    pthread_mutex_unlock(&dataset->lock);
    return result < 0 ? -1 : got;
}

/* ---- The rest ---- */

size_t dataset_count(const Dataset *dataset)
{
    return dataset->names.count;
}

const char *dataset_name(const Dataset *dataset, size_t picture)
{
    return dataset->names.names[picture];
}

size_t dataset_unreadable(const Dataset *dataset)
{
    return dataset->unreadable;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ b[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* As eight bytes, the lowest first, so that machines of both byte orders agree. */
static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return hash_bytes(hash, bytes, sizeof bytes);
}

uint64_t dataset_fingerprint(const Dataset *dataset)
{
    const DatasetOptions *o = &dataset->options;
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    hash = hash_number(hash, (uint64_t)o->height);
    hash = hash_number(hash, (uint64_t)o->width);
    hash = hash_number(hash, (uint64_t)o->channels);
    hash = hash_number(hash, dataset->folder ? 0 : dataset->seed);
    for (size_t i = 0; i < dataset->names.count; i++)
        hash = hash_bytes(hash, dataset->names.names[i], strlen(dataset->names.names[i]) + 1);
    return hash;
}

void dataset_close(Dataset *dataset)
{
    if (!dataset)
        return;
    pthread_mutex_lock(&dataset->lock);
    dataset->quit = 1;
    pthread_cond_broadcast(&dataset->work);
    pthread_mutex_unlock(&dataset->lock);
    for (int i = 0; i < dataset->reader_count; i++)
        pthread_join(dataset->readers[i], NULL);
    free_slots(dataset);
    name_list_free(&dataset->names);
    free(dataset->readers);
    free(dataset->pictures);
    free(dataset->cache);
    free(dataset->order);
    free(dataset->folder);
    pthread_cond_destroy(&dataset->done);
    pthread_cond_destroy(&dataset->work);
    pthread_mutex_destroy(&dataset->lock);
    free(dataset);
}
