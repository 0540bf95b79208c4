/* nadam: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2, in Keras's form:
 * momentum is warmed up by a schedule of Dozat's, beta1 (1 - 0.96^t / 2), and eps stands beside
 * sqrt(v). */
#include "ops.h"

const ChoiceSpec optimizer_nadam = {
    "nadam",
    "Adam with Nesterov momentum, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "beta1", ARG_REAL, .number = 0.9, .min = 0, .max = 0.999999 },
        { "beta2", ARG_REAL, .number = 0.999, .min = 0, .max = 0.999999999 },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
    },
    .states = { { "m", NULL, NULL }, { "v", NULL, NULL } },
};
