#include "train_pictures.h"

#include "memory.h"

#include <stdio.h>
#include <string.h>

/* Bytes of files that a new run reads to know them all from its start; of more, each when it is
   learnt from. */
static const int64_t NOTED_AT_ONCE = 512 << 20;

static int open_set(Run *run, Dataset **set, const PictureFolders *folders,
                    const DatasetRecords *known, const DatasetOptions *options, Error *error)
{
    if (dataset_open_folders(set, folders->paths, folders->count, known, options, train_warn, error)
        != 0)
        return -1;
    return run->options->resume && known->rows ? 0 : dataset_note_bytes(*set, NOTED_AT_ONCE, error);
}

/* The validation set comes first into the memory for decoded pictures: it is the smaller one and
   read again every epoch. */
static int open_pictures(Run *run, const PictureTable *table, Error *error)
{
    const TrainOptions *o = run->options;
    const int *dim = run->model->input.dim;
    size_t cache = o->cache_given ? o->cache_bytes : memory_available() / 4;
    int readers = run->threads < 16 ? run->threads : 16;
    DatasetOptions options = {
        dim[0], dim[1], dim[2], cache, readers, o->strict, o->skip_unreadable
    };

    if (o->val.count && open_set(run, &run->val, &o->val, &table->val, &options, error) != 0)
        return -1;
    if (!o->train.count
        && dataset_open_pictures(&run->val, BUILT_IN_SEED, BUILT_IN_TRAIN, BUILT_IN_VAL, &options,
                                 error)
               != 0)
        return -1;
    size_t taken = run->val ? dataset_count(run->val) * trainer_image_values(run->model) : 0;
    options.cache_bytes = taken < cache ? cache - taken : 0;
    if (o->train.count)
        return open_set(run, &run->train, &o->train, &table->train, &options, error);
    return dataset_open_pictures(&run->train, BUILT_IN_SEED, 0, BUILT_IN_TRAIN, &options, error);
}

void train_name_folders(const PictureFolders *folders, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < folders->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i == 0                   ? ""
                                 : i + 1 < folders->count ? ", "
                                                          : " and ",
                                 folders->paths[i]);
    if (used >= size && size > 4)
        strcpy(text + size - 4, "...");
}

/* A run that is resumed learns from the files that it learnt from so far. */
static int check_file_lists(const Run *run, uint64_t train_files, uint64_t val_files, Error *error)
{
    const CheckpointState *s = &run->state;
    char train[300], val[300];

    train_name_folders(&run->options->train, train, sizeof train);
    train_name_folders(&run->options->val, val, sizeof val);
    if (s->train_files != train_files)
        return error_set(error, EXIT_INPUT,
                         "the run in %s was trained on other pictures than %s; give the same "
                         "files as at its start",
                         run->folder.path,
                         *train ? train : "the built-in ones (there is no --train)");
    if (s->val_files != val_files)
        return error_set(error, EXIT_INPUT,
                         "the run in %s was validated on other pictures than %s; give the same "
                         "--val as at its start",
                         run->folder.path,
                         *val       ? val
                         : run->val ? "the built-in ones"
                                    : "none");
    if (s->position > dataset_count(run->train))
        return error_set(error, EXIT_INPUT, "%s: damaged: its position lies after the last picture",
                         run->folder.last);
    return 0;
}

static int note_file_lists(Run *run, Error *error)
{
    uint64_t train_files = dataset_fingerprint(run->train),
             val_files = run->val ? dataset_fingerprint(run->val) : 0;
    if (run->options->resume && check_file_lists(run, train_files, val_files, error) != 0)
        return -1;
    run->state.train_files = train_files;
    run->state.val_files = val_files;
    return 0;
}

/* With what the run that is resumed knows of its pictures. Runs of older programs have no such
 * table; who removed it wants the pictures as they are. */
int train_open_pictures(Run *run, Error *error)
{
    PictureTable table = { { 0 }, { 0 } };
    int missing = 0;
    if (run->options->resume
        && picture_table_read(&table, run->folder.pictures, &missing, error) != 0)
        return -1;
    int result = open_pictures(run, &table, error);
    picture_table_free(&table);
    if (result != 0 || note_file_lists(run, error) != 0)
        return -1;
    if (missing && run->options->train.count)
        train_warn("there is no " DATASET_RECORDS
                   " in the run's folder, so it cannot be told whether pictures have changed since "
                   "the run began");
    return 0;
}

int train_first_pictures(Run *run, Dataset *set, int want, Error *error)
{
    size_t count = dataset_count(set);
    size_t n = count < (size_t)want ? count : (size_t)want;
    for (size_t i = 0; i < n; i++)
        run->order[i] = (uint32_t)i;
    if (dataset_start(set, run->order, n, n, error) != 0)
        return -1;
    return train_next_pictures(run, set, (int)n, error);
}
