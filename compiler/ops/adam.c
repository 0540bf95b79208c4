/* adam: Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1, in Keras's
 * form: the step is lr * sqrt(1 - beta2^t) / (1 - beta1^t), and eps stands beside sqrt(v). */
#include "ops.h"

const ChoiceSpec optimizer_adam = {
    "adam",
    "Adam by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "beta1", ARG_REAL, .number = 0.9, .min = 0, .max = 0.999999 },
        { "beta2", ARG_REAL, .number = 0.999, .min = 0, .max = 0.999999999 },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
    },
    .states = { { "m", NULL }, { "v", NULL } },
};
