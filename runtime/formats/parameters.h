/* parameters.h - a network's parameters in a safetensors file: found by name, and refused by name
 * where they are not what the network needs.
 *
 * For trainers, inference and the compiler alike, so it knows shapes and no model. All lines for
 * the user go to message[size] and name the file. */
#ifndef CAEC_PARAMETERS_H
#define CAEC_PARAMETERS_H

#include "safetensors.h"

/* Opens a file as safetensors_read does. One that caec wrote must have its checksum. */
int parameters_open(Safetensors *file, const char *path, char *message, size_t size, int *io);

/* Finds the tensor and refuses it where it is missing, is neither F32 nor F64, or has a shape other
   than dim[rank]: NULL. */
const SafetensorsEntry *parameters_find(const Safetensors *file, const char *path, const char *name,
                                        int rank, const int *dim, char *message, size_t size);

/* Whether it is one that a training run keeps besides the parameters: "optimizer.", "position" and
   "caec." begin such names. */
int parameters_kept_besides(const char *tensor);

/* -1, with the line that refuses a tensor which the network `model` does not have, or a parameter
   with a value that is not finite. */
int parameters_refuse_other(const char *path, const char *tensor, const char *model, char *message,
                            size_t size);
int parameters_refuse_value(const char *path, const char *tensor, char *message, size_t size);

/* A shape as people write it, "[3, 3, 32, 64]", into text[size]. Returns text. */
char *parameters_shape_text(char *text, size_t size, int rank, const int64_t *shape);

#endif
