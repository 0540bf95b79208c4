#define _POSIX_C_SOURCE 200809L
#include "checkpoint_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[512], path[600];
real w[MOST], m[MOST], v[MOST];
real *const kept[SETTINGS_STATES] = { m, v };

CheckpointState written = {
    .step = 9007199254740992u,
    .epoch = 3,
    .position = 640,
    .images = 639,
    .loss_sum = 0.1 + 0.2,
    .seconds = 1e-300,
    .best = 1.0 / 3,
    .seed = 9007199254740993u,
    .batch = 64,
    .train_files = 0xfedcba9876543210u,
    .val_files = 1,
    .epochs = 40,
    .steps = 0,
    .rate = 1e-3 / 3,
    .schedule_follows = 1,
    .plateau = { { 0.1 / 3, 7 }, 2, 0.7 },
    .early = { INFINITY, 4 },
    .training = { .loss = "mse",
                  .optimizer = { .lr = 1e-3 / 7, .beta1 = 0.9, .beta2 = 0.1 + 0.2, .eps = 1e-7 },
                  .schedule = { .epochs = 12, .min_lr = 1e-5 / 3, .warmup = 0.1 },
                  .batch = 16,
                  .epochs = 3,
                  .global_clip_norm = 1.0 / 3,
                  .patience = 5,
                  .min_delta = 1e-3,
                  .mirror = 1 },
};

int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/caec-checkpoint-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || caec_model.parameter_reals > MOST)
        return -1;
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    for (size_t i = 0; i < caec_model.parameter_reals; i++) {
        w[i] = (real)sin((double)i);
        m[i] = (real)(1e-30 * cos((double)i));
        v[i] = (real)(1.0 / (double)(i + 3));
    }
    w[0] = (real)-0.0;
    /* adam and cosine; the same addresses come back */
    written.training.optimizer.name = settings_optimizers[0].name;
    written.training.schedule.name = settings_schedules[2].name;
    written.training.loss = caec_model.training.loss;
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

void save_or_fail(const Model *model, bool with_state)
{
    Error error = { 0 };
    if (checkpoint_save(path, model, w, with_state ? kept : NULL, &written, &error) != 0)
        fail_msg("%s", error.text);
}

void refused(const Model *model, int code, const char *word)
{
    real a[MOST], b[MOST], c[MOST];
    CheckpointState s;
    Error error = { 0 };
    assert_int_equal(checkpoint_load(path, model, a, (real *[SETTINGS_STATES]){ b, c }, &s, &error),
                     -1);
    assert_int_equal(error.exit_code, code);
    if (!strstr(error.text, word) || !strstr(error.text, path))
        fail_msg("\"%s\" does not name \"%s\" and the file", error.text, word);
}
