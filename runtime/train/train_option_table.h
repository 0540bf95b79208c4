/* train_option_table.h - the options of <name>-train, as argp has them. */
#ifndef CAEC_TRAIN_OPTION_TABLE_H
#define CAEC_TRAIN_OPTION_TABLE_H

#include "formats/usage.h"

enum { FIRST_KEY = 256 };
enum {
    KEY_TRAIN = FIRST_KEY,
    KEY_VAL,
    KEY_OUT,
    KEY_EPOCHS,
    KEY_STEPS,
    KEY_BATCH,
    KEY_LR,
    KEY_SEED,
    KEY_THREADS,
    KEY_INIT,
    KEY_RESUME,
    KEY_CHECKPOINT,
    KEY_CACHE,
    KEY_STRICT,
    KEY_JSON,
    KEY_COUNT,
    KEY_OPTIMIZER,
    KEY_SCHEDULE,
    KEY_PATIENCE,
    KEY_MIN_DELTA,
    KEY_CLIP_NORM,
    KEY_GLOBAL_CLIP_NORM,
    KEY_CLIP_VALUE,
    KEY_MIRROR,
    KEY_NO_MIRROR,
    KEY_LOSS,
    KEY_SKIP,
    KEY_ANOMALIES,
    KEY_EMA,
    KEY_END
};

/* The bit of a set of options. */
#define BIT(key) (1u << ((key)-FIRST_KEY))

extern const struct argp_option train_option_table[];

/* "epochs" for KEY_EPOCHS; "" for none of the options. */
const char *train_option_name(int key);

#endif
