/* adadelta: Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1, in Keras's
 * form: the step of the paper times lr; eps stands under both roots. */
#include "ops.h"

const ChoiceSpec optimizer_adadelta = {
    "adadelta",
    "steps as large as the running mean of those before, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "rho", ARG_REAL, .number = 0.95, .min = 0, .max = 0.999999 },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
    },
    .states = { { "v", NULL, NULL }, { "d", NULL, NULL } },
};
