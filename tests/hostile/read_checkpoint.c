/* Checkpoints of the model in tests/runtime/tiny_model.c: runtime/train/checkpoint.h,
 * runtime/weights/weights.h. Each file twice: as it is, and with the checksum that its bytes have,
 * so that what is wrong with them is not hidden behind a wrong checksum. */
#include "formats/checksum.h"
#include "train/checkpoint.h"
#include "weights/weights.h"

#include "reader.h"
#include "tiny_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a trainer would go by holds no number that it could not have come to. */
static void check_state(const CheckpointState *s)
{
    const ModelTraining *t = &s->training;
    int counts = s->batch >= 1 && s->batch <= 1 << 20 && s->epoch <= 1ull << 53
                 && s->step <= 1ull << 53 && s->closed <= s->step && s->images <= s->position;
    int training = t->patience >= 0 && (t->mirror == 0 || t->mirror == 1) && isfinite(t->clip_norm)
                   && t->clip_norm >= 0 && isfinite(t->optimizer.lr);
    int clock = s->seconds >= 0 && isfinite(s->seconds) && isfinite(s->loss_sum)
                && isfinite(s->rate);
    if (!counts || !training || !clock || isnan(s->best) || isnan(s->early.best)
        || !(s->plateau.scale >= 0 && s->plateau.scale <= 1))
        reader_broken("bounds of what was read");
}

static void load(const uint8_t *bytes, size_t size)
{
    Error error = { 0 };
    CheckpointState state = { 0 };
    const char *path = reader_file(bytes, size);
    real *numbers = calloc((1 + SETTINGS_STATES) * caec_model.parameter_reals, sizeof *numbers);
    if (!numbers)
        reader_broken("memory for the parameters");
    real *kept[SETTINGS_STATES];
    for (int i = 0; i < SETTINGS_STATES; i++)
        kept[i] = numbers + (size_t)(i + 1) * caec_model.parameter_reals;
    if (checkpoint_load(path, &caec_model, numbers, kept, &state, &error) != 0)
        reader_check_message(error.text, path);
    else
        check_state(&state);
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
