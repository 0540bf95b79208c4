/* adagrad: Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and
 * stochastic optimization", in Keras's form: the sum of squares starts at initial_accumulator, and
 * eps stands under the root. */
#include "ops.h"

const ChoiceSpec optimizer_adagrad = {
    "adagrad",
    "the gradient divided by the root of the sum of its squares so far, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "initial_accumulator", ARG_REAL, .number = 0.1, .min = 0, .max = 1e6 },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
    },
    .states = { { "v", NULL, "initial_accumulator" } },
};
