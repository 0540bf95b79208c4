#define _POSIX_C_SOURCE 200809L
#include "dataset.h"

#include "dataset_private.h"
#include "images/image.h"
#include "images/pictures.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading (in the readers' threads) ---- */

int dataset_read_picture(const Dataset *dataset, size_t picture, uint8_t *pixels, uint64_t *hash,
                         Error *error)
{
    const DatasetOptions *o = &dataset->options;
    *hash = 0;
    if (dataset->folder_count == 0) {
        picture_draw(dataset->seed, dataset->first + picture, o->height, o->width, o->channels,
                     pixels);
        return 0;
    }
    const DatasetRecord *record = &dataset->names.rows[picture];
    Image image = { 0 };
    size_t size;
    char *path = dataset_path(dataset->folders[record->folder], record->name);
    uint8_t *bytes = path ? image_load(path, &size, error) : NULL;
    int result = path ? bytes ? image_decode(&image, path, bytes, size, error) : -1
                      : dataset_out_of_memory(error);
    if (bytes)
        *hash = dataset_hash(bytes, size);
    free(bytes);
    if (result == 0)
        result = image_fit(&image, o->width, o->height, o->channels, pixels, error);
    image_free(&image);
    free(path);
    return result;
}

/* Copies fresh pixels into the cache while there is room. The lock is held on entry and on return,
   not in between. */
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
    slot->hash = 0;
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
    int result = dataset_read_picture(dataset, index, slot->buffer, &slot->hash, &slot->error);
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
        if (position == dataset->order_count
            || dataset->slots[position % dataset->slot_count].state != SLOT_EMPTY) {
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
        return dataset_out_of_memory(error);
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
        return error_set(error, EXIT_INPUT,
                         "cannot start a thread to read pictures: %s; try fewer --threads",
                         strerror(failed));
    return 0; /* fewer than asked for will do */
}

/* ---- Handing out (in the caller's thread) ---- */

void dataset_free_slots(Dataset *dataset)
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
    dataset_free_slots(dataset);
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
        return dataset_out_of_memory(error);
    if (n)
        memcpy(copy, order, n * sizeof *copy);
    room = room ? room : 1;
    pthread_mutex_lock(&dataset->lock);
    free(dataset->order);
    dataset->order = copy;
    int failed = room > dataset->room && make_slots(dataset, room) != 0;
    if (failed)
        dataset_free_slots(dataset);
    else
        dataset->order_count = n;
    pthread_cond_broadcast(&dataset->work);
    pthread_mutex_unlock(&dataset->lock);
    return failed ? dataset_out_of_memory(error) : start_readers(dataset, error);
}

static void take_note(Dataset *dataset, DatasetRecord *record, DatasetFate fate, uint64_t hash)
{
    dataset->noted |= record->fate != fate || (hash && record->hash != hash);
    record->fate = fate;
    if (hash)
        record->hash = hash;
}

/* Why a picture that failed, or came with other bytes, ends the reading; NULL: it does not. It has
   been looked at since the start, so one that cannot be read at all could be read before. */
static const char *why_it_counts(const Dataset *dataset, const DatasetRecord *record,
                                 const Slot *slot)
{
    if (slot->hash && record->hash && slot->hash != record->hash && slot->state == SLOT_READY)
        return "its content has changed since the run began; " DATASET_HOW_TO_GO_ON;
    if (slot->state == SLOT_READY || dataset->options.skip_unreadable)
        return NULL;
    if (record->fate == DATASET_READ || slot->error.exit_code == EXIT_FILE
        || (slot->hash && record->hash && slot->hash != record->hash))
        return "it was readable before, and without it this would be another training; make it so "
               "again, or give --skip-unreadable to pass over it";
    return NULL;
}

static int refuse(const Dataset *dataset, const DatasetRecord *record, const Slot *slot,
                  const char *why, Error *error)
{
    if (slot->state == SLOT_READY)
        return error_set(error, EXIT_INPUT, "%s/%s: %s", dataset->folders[record->folder],
                         record->name, why);
    return error_set(error, slot->error.exit_code, "%.400s; %s", slot->error.text, why);
}

/* A failed slot's picture is told once, and without the lock, since `warn` may take its time. Not
   so where handles or memory were short: passing over the picture would make it another
   training. */
static int report_failure(Dataset *dataset, size_t index, Slot *slot, Error *error)
{
    DatasetRecord *record = &dataset->names.rows[index];
    const char *why = why_it_counts(dataset, record, slot);
    if (dataset->options.strict || (slot->error.shortage && !dataset->options.skip_unreadable)) {
        *error = slot->error;
        return -1;
    }
    if (why)
        return refuse(dataset, record, slot, why, error);
    dataset->pictures[index].unreadable = 1;
    dataset->unreadable++;
    take_note(dataset, record, DATASET_PASSED_OVER, record->hash ? 0 : slot->hash);
    if (dataset->warn) {
        pthread_mutex_unlock(&dataset->lock);
        dataset->warn(slot->error.text); /* nobody fills a slot that is not empty */
        pthread_mutex_lock(&dataset->lock);
    }
    return 0;
}

/* What is in the slot of a picture: 1 where it is fine, 0 where it is passed over, -1. */
static int judge(Dataset *dataset, size_t index, Slot *slot, Error *error)
{
    DatasetRecord *record = &dataset->names.rows[index];
    if (slot->state == SLOT_FAILED)
        return dataset->pictures[index].unreadable ? 0
                                                   : report_failure(dataset, index, slot, error);
    const char *why = why_it_counts(dataset, record, slot);
    if (why)
        return refuse(dataset, record, slot, why, error);
    if (slot->hash)
        take_note(dataset, record, DATASET_READ, slot->hash);
    return 1;
}

/* Takes the next position's result out of its slot: 1 with the pixels in held[i] or in the cache, 0
   where it is passed over, -1. Readers wait for the lock until the slot is dealt with. */
static int take(Dataset *dataset, int i, const uint8_t **pixels, uint32_t *which, Error *error)
{
    Slot *slot = &dataset->slots[dataset->handed % dataset->slot_count];
    while (slot->state != SLOT_READY && slot->state != SLOT_FAILED)
        pthread_cond_wait(&dataset->done, &dataset->lock);
    uint32_t index = dataset->order[dataset->handed++];
    *pixels = slot->pixels;
    *which = index;
    int result = judge(dataset, index, slot, error);
    slot->state = SLOT_EMPTY;
    pthread_cond_signal(&dataset->work);
    if (result == 1 && slot->pixels == slot->buffer) {
        slot->buffer = dataset->held[i];
        dataset->held[i] = (uint8_t *)*pixels;
    }
    return result;
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
