/* train_option_values.h - the numbers that options of <name>-train are given. What is none of the
 * wanted kind ends the program with how to write it. */
#ifndef CAEC_TRAIN_OPTION_VALUES_H
#define CAEC_TRAIN_OPTION_VALUES_H

#include "formats/usage.h"
#include "train_options.h"

/* A whole number least .. most, nothing after it. */
uint64_t option_count(const struct argp_state *state, int key, const char *text, uint64_t least,
                      uint64_t most);

/* A number from 0 to SETTINGS_MAX_EMA. */
double option_ema(const struct argp_state *state, const char *text);

/* A number from 0 on. */
double option_bound(const struct argp_state *state, int key, const char *text);

/* A learning rate. */
double option_lr(const struct argp_state *state, const char *text);

/* Bytes: "512M". */
size_t option_size(const struct argp_state *state, const char *text);

/* Updates or minutes between checkpoints: "500", "10m". */
void option_checkpoint(const struct argp_state *state, TrainOptions *options, const char *text);

#endif
