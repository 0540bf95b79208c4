/* adamw: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", in Keras's form:
 * before Adam's step each parameter, biases too, loses lr * weight_decay of itself. */
#include "ops.h"

const ChoiceSpec optimizer_adamw = {
    "adamw",
    "Adam with decoupled weight decay, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "beta1", ARG_REAL, .number = 0.9, .min = 0, .max = 0.999999 },
        { "beta2", ARG_REAL, .number = 0.999, .min = 0, .max = 0.999999999 },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
        { "weight_decay", ARG_REAL, .number = 0.004, .min = 0, .max = 1e3 },
    },
    .states = { { "m", NULL }, { "v", NULL } },
};
