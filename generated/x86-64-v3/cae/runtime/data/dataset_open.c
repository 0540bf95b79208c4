/* dataset_open.c - the part of dataset.h that opens folders and tells what is in them. */
#define _XOPEN_SOURCE 700 /* realpath, strdup */
#include "dataset.h"

#include "dataset_private.h"
#include "formats/checksum.h"
#include "formats/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Opening ---- */

int dataset_out_of_memory(Error *error)
{
    return error_set_shortage(
        error, "not enough memory for the pictures; use a smaller batch or --cache-memory");
}

/* The cache is one block taken at the start, which costs nothing before it is used; where it cannot
 * be had, less of it will do. */
static int make_store(Dataset *dataset, size_t count, Error *error)
{
    size_t room = dataset->options.cache_bytes / dataset->picture_bytes;
    dataset->pictures = calloc(count ? count : 1, sizeof *dataset->pictures);
    if (!dataset->pictures)
        return dataset_out_of_memory(error);
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
    dataset->picture_bytes = (size_t)options->height * (size_t)options->width
                             * (size_t)options->channels;
    pthread_mutex_init(&dataset->lock, NULL);
    pthread_cond_init(&dataset->work, NULL);
    pthread_cond_init(&dataset->done, NULL);
    return dataset;
}

/* The pictures of a folder, after those that are there. */
static int add_folder(Dataset *dataset, int folder, Error *error)
{
    Error first;
    NameList found = { 0 };
    const char *path = dataset->folders[folder];
    int result = dataset_scan(&found, path, dataset->options.strict, dataset->warn, error);
    size_t files = found.count;
    if (result == 0 && files + dataset->names.count > UINT32_MAX)
        result = error_set(error, EXIT_INPUT, "%s: more than 2^32 files; use a part of them", path);
    if (result == 0)
        result = dataset_sift(&found, path, dataset->options.strict, dataset->warn, &first, error);
    dataset->unreadable += files - found.count;
    if (result == 0 && files == 0)
        result = error_set(error, EXIT_INPUT,
                           "%s: no files in it (looked for JPEG and PNG pictures, at any depth); "
                           "name a folder of pictures",
                           path);
    else if (result == 0 && found.count == 0)
        result = error_set(error, EXIT_INPUT,
                           "%s: none of its %zu file%s is a readable JPEG or PNG picture; name a "
                           "folder of pictures. The first: %.300s",
                           path, files, files == 1 ? "" : "s", first.text);
    for (size_t i = 0; i < found.count && result == 0; i++) {
        DatasetRecord record = found.rows[i];
        found.rows[i].name = NULL;
        record.folder = folder;
        if (name_list_add(&dataset->names, record.name) != 0)
            result = dataset_out_of_memory(error);
        else
            dataset->names.rows[dataset->names.count - 1] = record;
    }
    name_list_free(&found);
    return result;
}

/* 1 where the folder is another of them, or lies within it. */
static int lies_in(const char *folder, const char *other)
{
    char *inner = realpath(folder, NULL), *outer = realpath(other, NULL);
    size_t n = outer ? strlen(outer) : 0;
    int within = inner && outer && strncmp(inner, outer, n) == 0
                 && (!inner[n] || inner[n] == '/' || outer[n - 1] == '/');
    free(inner);
    free(outer);
    return within;
}

/* Of two folders that are one the second is told of. */
static void tell_of_doubles(const Dataset *dataset)
{
    char **folders = dataset->folders;
    for (int i = 0; dataset->warn && i < dataset->folder_count; i++)
        for (int k = 0; k < dataset->folder_count; k++) {
            int one = i != k && lies_in(folders[i], folders[k]),
                same = one && lies_in(folders[k], folders[i]);
            char text[700];
            if (!one || (same && k > i))
                continue;
            snprintf(text, sizeof text,
                     same ? "%.300s is the folder %.300s once more: its pictures count twice"
                          : "%.300s lies in %.300s, which is given too: its pictures count twice",
                     folders[i], folders[k]);
            printable_line(text);
            dataset->warn(text);
            break;
        }
}

static int open_folders(Dataset *dataset, const char *const *folders, int count,
                        const DatasetRecords *known, Error *error)
{
    dataset->folders = calloc((size_t)count, sizeof *dataset->folders);
    for (; dataset->folders && dataset->folder_count < count; dataset->folder_count++)
        if (!(dataset->folders[dataset->folder_count] = strdup(
                  *folders[dataset->folder_count] ? folders[dataset->folder_count] : ".")))
            break;
    if (dataset->folder_count < count)
        return dataset_out_of_memory(error);
    tell_of_doubles(dataset);
    for (int i = 0; i < count; i++)
        if (add_folder(dataset, i, error) != 0)
            return -1;
    if (make_store(dataset, known && known->rows ? known->count : dataset->names.count, error) != 0)
        return -1;
    return known && known->rows ? dataset_recall(dataset, known, error) : 0;
}

int dataset_open_folders(Dataset **dataset, const char *const *folders, int count,
                         const DatasetRecords *known, const DatasetOptions *options,
                         void (*warn)(const char *text), Error *error)
{
    *dataset = make_dataset(options);
    if (!*dataset)
        return dataset_out_of_memory(error);
    (*dataset)->warn = warn;
    if (open_folders(*dataset, folders, count, known, error) == 0)
        return 0;
    dataset_close(*dataset);
    *dataset = NULL;
    return -1;
}

int dataset_open_folder(Dataset **dataset, const char *folder, const DatasetOptions *options,
                        void (*warn)(const char *text), Error *error)
{
    return dataset_open_folders(dataset, &folder, 1, NULL, options, warn, error);
}

static int open_pictures(Dataset *dataset, uint64_t seed, uint64_t first, size_t count,
                         Error *error)
{
    dataset->seed = seed;
    dataset->first = first;
    for (size_t i = 0; i < count; i++) {
        char name[48];
        snprintf(name, sizeof name, "built-in picture %llu", (unsigned long long)(first + i));
        if (name_list_add(&dataset->names, strdup(name)) != 0)
            return dataset_out_of_memory(error);
    }
    return make_store(dataset, count, error);
}

int dataset_open_pictures(Dataset **dataset, uint64_t seed, uint64_t first, size_t count,
                          const DatasetOptions *options, Error *error)
{
    *dataset = make_dataset(options);
    if (!*dataset)
        return dataset_out_of_memory(error);
    if (open_pictures(*dataset, seed, first, count, error) == 0)
        return 0;
    dataset_close(*dataset);
    *dataset = NULL;
    return -1;
}

/* ---- The rest ---- */

size_t dataset_count(const Dataset *dataset)
{
    return dataset->names.count;
}

const char *dataset_name(const Dataset *dataset, size_t picture)
{
    return dataset->names.rows[picture].name;
}

size_t dataset_unreadable(const Dataset *dataset)
{
    return dataset->unreadable;
}

/* As eight bytes, the lowest first, so that machines of both byte orders agree. */
static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return checksum_bytes(hash, bytes, sizeof bytes);
}

uint64_t dataset_fingerprint(const Dataset *dataset)
{
    const DatasetOptions *o = &dataset->options;
    uint64_t hash = CHECKSUM_START;
    hash = hash_number(hash, (uint64_t)o->height);
    hash = hash_number(hash, (uint64_t)o->width);
    hash = hash_number(hash, (uint64_t)o->channels);
    hash = hash_number(hash, dataset->folder_count ? 0 : dataset->seed);
    for (size_t i = 0; i < dataset->names.count; i++) {
        const DatasetRecord *record = &dataset->names.rows[i];
        if (i > 0 && record->folder != record[-1].folder)
            hash = hash_number(hash, (uint64_t)record->folder);
        hash = checksum_bytes(hash, record->name, strlen(record->name) + 1);
    }
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
    dataset_free_slots(dataset);
    name_list_free(&dataset->names);
    free(dataset->readers);
    free(dataset->pictures);
    free(dataset->cache);
    free(dataset->order);
    for (int i = 0; dataset->folders && i < dataset->folder_count; i++)
        free(dataset->folders[i]);
    free(dataset->folders);
    pthread_cond_destroy(&dataset->done);
    pthread_cond_destroy(&dataset->work);
    pthread_mutex_destroy(&dataset->lock);
    free(dataset);
}
