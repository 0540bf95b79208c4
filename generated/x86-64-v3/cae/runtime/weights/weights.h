/* weights.h - a model's parameters out of a safetensors file.
 *
 * The file may come from a training run or from any other program that stores tensors under the
 * parameters' names and in their layouts (kernels HWIO, transposed ones HWOI, dense IO), as F32 or
 * F64. */
#ifndef CAEC_WEIGHTS_H
#define CAEC_WEIGHTS_H

#include "error.h"
#include "formats/safetensors.h"
#include "model.h"

/* Reads all parameters of the model from the file at `path` into
   parameters[model->parameter_reals]. Passed over: what a training run keeps besides (names that
   start with "optimizer.", "position" or "caec."). Refused by name, with what was expected: a
   parameter that is missing, has another shape or type, or holds a value that is not finite, and a
   tensor that the model does not have. */
int weights_load(const Model *model, const char *path, real *parameters, Error *error);

/* The same from a file that is open, for the tensors called `prefix` + parameter; other tensors are
   not looked at. `only`: one a parameter, 0 where it is left as it is; NULL: all are read. */
int weights_take(const Model *model, const Safetensors *file, const char *path, const char *prefix,
                 const unsigned char *only, real *parameters, Error *error);

/* Finds tensor `prefix` + `name` and refuses it where it is missing, is neither F32 nor F64, or has
   a shape other than dim[rank]. */
const SafetensorsEntry *weights_find(const Safetensors *file, const char *path, const char *prefix,
                                     const char *name, int rank, const int *dim, Error *error);

/* The place of the model's parameter of that name; -1: it has none. */
int weights_parameter(const Model *model, const char *name);

/* Opens a file as safetensors_read does, with an Error. A file that caec wrote must have its
   checksum. */
int weights_open(Safetensors *file, const char *path, Error *error);

#endif
