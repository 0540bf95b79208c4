/* sgd: gradient descent with momentum in Keras's form: v = momentum * v - lr * g, w = w + v. */
#include "ops.h"

const ChoiceSpec optimizer_sgd = {
    "sgd",
    "gradient descent with momentum, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 0.01, .min = 0, .max = 1e3 },
        { "momentum", ARG_REAL, .number = 0, .min = 0, .max = 0.999999 },
    },
    .states = { { "m", NULL } },
};
