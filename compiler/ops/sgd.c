/* sgd: gradient descent with momentum in Keras's form: m = momentum * m - lr * g, w = w + m; with
 * `nesterov` the step is taken from where the momentum leads, w = w + momentum * m - lr * g
 * (Nesterov 1983; Sutskever et al. 2013, "On the importance of initialization and momentum in deep
 * learning"). */
#include "ops.h"

const ChoiceSpec optimizer_sgd = {
    "sgd",
    "gradient descent with momentum, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 0.01, .min = 0, .max = 1e3 },
        { "momentum", ARG_REAL, .number = 0, .min = 0, .max = 0.999999 },
        { "nesterov", ARG_BOOL, .number = false },
    },
    .states = { { "m", NULL } },
};
