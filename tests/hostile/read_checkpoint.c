/* Checkpoints of the model in tests/runtime/tiny_model.c: runtime/train/checkpoint.h, runtime/weights/weights.h. Each file twice: as it is, and with
 * the checksum that its bytes have, so that what is wrong with them is not hidden behind a wrong checksum. */
#include "formats/checksum.h"
#include "train/checkpoint.h"
#include "weights/weights.h"

#include "reader.h"
#include "tiny_model.h"

#include <stdlib.h>
#include <string.h>

static void load(const uint8_t *bytes, size_t size)
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
    if (weights_load(&caec_model, path, numbers, &error) != 0)
        reader_check_message(error.text, path);
    free(numbers);
}

void reader_take(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size + 1), digits[CHECKSUM_DIGITS + 1];
    if (!copy)
        reader_broken("memory for the file");
    memcpy(copy, bytes, size);
    char *place = checksum_place(copy, size);
    load(bytes, size);
    if (place) {
        memcpy(place, CHECKSUM_ZEROS, CHECKSUM_DIGITS);
        checksum_text(checksum_bytes(CHECKSUM_START, copy, size), digits);
        memcpy(place, digits, CHECKSUM_DIGITS);
        load((const uint8_t *)copy, size);
    }
    free(copy);
}
