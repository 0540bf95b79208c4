/* train_files.c - what a run saves of itself, and where its folder is. */
#include "train_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *train_out(const Run *run)
{
    return run->folder.moved ? run->folder.path : run->options->out;
}

int train_save_pictures(Run *run, const RunFolder *folder, int always, Error *error)
{
    int more = 0, more_val = 0;
    PictureTable table = { .train = dataset_records(run->train, &more) };
    if (run->val)
        table.val = dataset_records(run->val, &more_val);
    if (!run->options->train.count || !(more || more_val || always))
        return 0;
    return picture_table_write(&table, folder->pictures, error);
}

static int save(Run *run, Error *error)
{
    Trainer *t = &run->trainer;
    trainer_shown(t); /* brings the averages up to date */
    if (train_save_pictures(run, &run->folder, 0, error) != 0
        || checkpoint_save(run->folder.last, run->model, t->parameters, t->optimizer.state,
                           &run->state, error)
               != 0)
        return -1;
    run->saved_step = run->state.step;
    run->saved_at = train_now();
    return 0;
}

/* All that the run still has goes into a new folder; best.safetensors and the sheets are gone. */
static int save_anew(Run *run, Error *error)
{
    char deleted[300];
    snprintf(deleted, sizeof deleted, "%s", run->folder.path);
    if (run_folder_renew(&run->folder, error) != 0
        || train_save_pictures(run, &run->folder, 1, error) != 0 || save(run, error) != 0
        || history_write(&run->history, run->folder.history, error) != 0)
        return -1;
    return error_set(error, EXIT_FILE,
                     "%s was deleted while the run was at work, with all that was in it; what the "
                     "run still has is in the new folder %.250s",
                     deleted, run->folder.path);
}

int train_follow_folder(Run *run, Error *error)
{
    HeldFolder what;
    if (run_folder_follow(&run->folder, &what, error) != 0)
        return -1;
    if (what == HELD_FOLDER_MOVED)
        train_say(run, "the run's folder has been renamed; the run goes on in %s",
                  run->folder.path);
    return what == HELD_FOLDER_GONE ? save_anew(run, error) : 0;
}

int train_save_last(Run *run, Error *error)
{
    return train_follow_folder(run, error) != 0 ? -1 : save(run, error);
}
