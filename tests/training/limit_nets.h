/* limit_nets.h - what the tests of --memory-limit share: networks, and what caec says that a limit
   does to them. */
#ifndef TEST_LIMIT_NETS_H
#define TEST_LIMIT_NETS_H

#include "model.h"
#include "process.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

enum { IS_FLOAT = sizeof(real) == sizeof(float) };

/* Forces the kernels of net_convolutions and those like it. */
#define DIRECT                                                                        \
    "--kernel encoder.conv1=conv_direct --kernel encoder.conv2=conv_direct --kernel " \
    "decoder.conv1=conv_direct --kernel decoder.conv2=conv_direct "

extern const char net_convolutions[], net_adam[], net_microbatches[], net_noise[], net_channels[],
    net_first_conv[], net_first_dense[], net_branches[], net_tied[], net_signal[], net_groups[],
    net_groups_of_two[], net_dense_groups[];

/* A graph trained by an optimizer with its defaults, or, `all`, with all that may be kept of a
   parameter; to be freed. *training is what its programs then train by. */
char *graph_trained_by(const SettingsWord *word, bool all, ModelTraining *training);

Result plan(const char *graph, const char *options);

/* The number after `before`; 0 where there is none. */
size_t number_behind(const char *text, const char *before);

/* The one that a refusal names. */
size_t smallest_limit(const char *graph, const char *options);

/* What training takes, by the plan for that limit; 0: it was refused. */
size_t taken(const char *graph, const char *options, size_t limit);

#endif
