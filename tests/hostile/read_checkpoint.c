/* Checkpoints of the model in tests/runtime/tiny_model.c: runtime/train/checkpoint.h. */
#include "train/checkpoint.h"

#include "reader.h"
#include "tiny_model.h"

#include <stdlib.h>

void reader_take(const uint8_t *bytes, size_t size)
{
    Error error = { 0 };
    CheckpointState state = { 0 };
    const char *path = reader_file(bytes, size);
    real *numbers = calloc(3 * caec_model.parameter_reals, sizeof *numbers);
    if (!numbers)
        reader_broken("memory for the parameters");
    real *m = numbers + caec_model.parameter_reals, *v = m + caec_model.parameter_reals;
    if (checkpoint_load(path, &caec_model, numbers, m, v, &state, &error) != 0)
        reader_check_message(error.text, path);
    if (checkpoint_load_parameters(path, &caec_model, numbers, &error) != 0)
        reader_check_message(error.text, path);
    free(numbers);
}
