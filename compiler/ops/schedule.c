/* The learning-rate schedules; what they do is written in runtime/train/schedule.h. Each takes a
   warm-up of so many epochs, which need not be whole. */
#include "ops.h"

#define WARMUP                                                \
    {                                                         \
        "warmup", ARG_REAL, .number = 0, .min = 0, .max = 1e6 \
    }
#define MIN_LR                                                \
    {                                                         \
        "min_lr", ARG_REAL, .number = 0, .min = 0, .max = 1e3 \
    }

const ChoiceSpec schedule_constant = { "constant", "the optimizer's rate throughout",
                                       .args = { WARMUP } };

const ChoiceSpec schedule_step = {
    "step",
    "the rate times `factor` every so many epochs",
    .args = { { "every", ARG_INT, .number = 10, .min = 1, .max = 1 << 24 },
              { "factor", ARG_REAL, .number = 0.1, .min = 0, .max = 1 },
              WARMUP },
};

const ChoiceSpec schedule_cosine = {
    "cosine",
    "half a cosine down to `min_lr` over `epochs`",
    .args = { { "epochs", ARG_INT, .number = 0, .min = 1, .max = 1 << 24, .text = "the run's" },
              MIN_LR,
              WARMUP },
};

const ChoiceSpec schedule_reduce_on_plateau = {
    "reduce_on_plateau",
    "the rate times `factor` where val_loss has not fallen for `patience` epochs",
    .args = {
        { "factor", ARG_REAL, .number = 0.1, .min = 0, .max = 0.999999 },
        { "patience", ARG_INT, .number = 10, .min = 1, .max = 1 << 24 },
        { "min_delta", ARG_REAL, .number = 1e-4, .min = 0, .max = 1e6 },
        { "cooldown", ARG_INT, .number = 0, .min = 0, .max = 1 << 24 },
        MIN_LR,
        WARMUP,
    },
};
