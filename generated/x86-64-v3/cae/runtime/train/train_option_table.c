#include "train_option_table.h"

const struct argp_option train_option_table[] = {
    { 0, 0, 0, 0, "Pictures and results:", 1 },
    { "train", KEY_TRAIN, "DIR", 0,
      "train on the JPEG and PNG files in DIR, at any depth (built-in "
      "pictures); given again, on those of the next DIR after them",
      0 },
    { "val", KEY_VAL, "DIR", 0,
      "measure val_loss on the files in DIR (none; with built-in "
      "pictures, 256 others); likewise",
      0 },
    { "out", KEY_OUT, "DIR", 0,
      "folder of the run (runs/<name>); an older run there is moved to DIR.1", 0 },
    { "init", KEY_INIT, "FILE", 0, "start from the parameters in FILE (.safetensors)", 0 },
    { "resume", KEY_RESUME, 0, 0,
      "continue the run in --out; the result has the same bits as without the interruption", 0 },
    { "strict", KEY_STRICT, 0, 0, "an unreadable picture is an error", 0 },
    { "skip-unreadable", KEY_SKIP, 0, 0,
      "pass over a picture that was readable and no longer is, "
      "instead of ending the run",
      0 },
    { 0, 0, 0, 0, "Training:", 2 },
    { "epochs", KEY_EPOCHS, "N", 0,
      "end after N epochs, counted from the start of the run; where the graph has stages, those "
      "before the last "
      "keep their lengths",
      0 },
    { "steps", KEY_STEPS, "N", 0,
      "end after N updates, counted likewise; whichever comes first. Given alone, epochs set no "
      "end, but to "
      "stages before the last. "
      "bench: updates to measure (10)",
      0 },
    { "batch", KEY_BATCH, "N", 0, "pictures per update", 0 },
    { "loss", KEY_LOSS, "NAME", 0,
      "only the graph's own, which is compiled in; for another, write it in the graph and run caec "
      "again",
      0 },
    { "optimizer", KEY_OPTIMIZER, "NAME[,X=N...]", 0,
      "an optimizer and its numbers, those that are not as here: %s", 0 },
    { "lr", KEY_LR, "X", 0, "learning rate; not together with lr=X of --optimizer", 0 },
    { "ema", KEY_EMA, "X", 0,
      "keep averages of the parameters, X of the average and the rest of the parameter after every "
      "update; val_loss, best and samples are of the averages; 0: keep none",
      0 },
    { "schedule", KEY_SCHEDULE, "NAME[,X=N...]", 0,
      "of the learning rate, likewise; warmup counts epochs, and so does epochs of cosine, which "
      "are the run's where they are left out: %s",
      0 },
    { "clip-norm", KEY_CLIP_NORM, "X", 0,
      "scale the gradient of each parameter down to a norm of at most X; 0: do not", 0 },
    { "global-clip-norm", KEY_GLOBAL_CLIP_NORM, "X", 0, "likewise, for all parameters together",
      0 },
    { "clip-value", KEY_CLIP_VALUE, "X", 0, "clip each number of the gradient to -X..X; 0: do not",
      0 },
    { "patience", KEY_PATIENCE, "N", 0,
      "stop, or continue with the next stage, after N epochs in a row without a lower val_loss; 0: "
      "do not",
      0 },
    { "min-delta", KEY_MIN_DELTA, "X", 0, "lower by more than X", 0 },
    { "mirror", KEY_MIRROR, 0, 0, "pictures enter as they are or mirrored, at random", 0 },
    { "no-mirror", KEY_NO_MIRROR, 0, 0, "pictures enter as they are", 0 },
    { "seed", KEY_SEED, "N", 0, "of the first parameters and the order of pictures (1)", 0 },
    { 0, 0, 0, 0, "Machine:", 3 },
    { "threads", KEY_THREADS, "N", 0,
      "number of threads (one per processor); the result has the same bits", 0 },
    { "checkpoint-every", KEY_CHECKPOINT, "N|Nm", 0,
      "save last.safetensors every N updates or N minutes (10m), besides the end of an epoch", 0 },
    { "cache-memory", KEY_CACHE, "SIZE", 0,
      "keep decoded pictures up to SIZE bytes, or with K, M, G (a quarter of the free memory)", 0 },
    { "json", KEY_JSON, 0, 0, "bench, verify: print one JSON object", 0 },
    { "count", KEY_COUNT, "N", 0, "pictures: how many to write (8)", 0 },
    { "anomalies", KEY_ANOMALIES, 0, 0,
      "pictures: each signal has an anomaly, by turns a spike, a flat stretch, a jump of the level "
      "and a burst of a higher frequency",
      0 },
    { 0 }
};

const char *train_option_name(int key)
{
    for (const struct argp_option *o = train_option_table; o->name || o->doc; o++)
        if (o->key == key)
            return o->name;
    return "";
}
