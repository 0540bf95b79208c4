/* rmsprop: Tieleman and Hinton 2012, "Lecture 6.5: rmsprop", in Keras's form: with momentum 0 there
 * is no momentum, and `centered` divides by an estimate of the gradient's variance instead of its
 * mean square (Graves 2013, "Generating sequences with recurrent neural networks", equations 38 to
 * 45). eps stands under the root. */
#include "ops.h"

const ChoiceSpec optimizer_rmsprop = {
    "rmsprop",
    "the gradient divided by the root of its running mean square, by Keras's formula",
    {
        { "lr", ARG_REAL, .number = 1e-3, .min = 0, .max = 1e3 },
        { "rho", ARG_REAL, .number = 0.9, .min = 0, .max = 0.999999 },
        { "momentum", ARG_REAL, .number = 0, .min = 0, .max = 0.999999 },
        { "centered", ARG_BOOL, .number = false },
        { "eps", ARG_REAL, .number = 1e-7, .min = 0, .max = 1 },
    },
    .states = { { "v", NULL }, { "m", "momentum" }, { "mean_gradient", "centered" } },
};
