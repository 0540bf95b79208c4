/* cae.h - the network of cae.lua, compiled by caec 0.1.0 for x86-64-v3.
 *
 * 224x224x3 pixels -> 28x28x128 latent -> 224x224x3. `caec_model` is the whole
 * interface: see model.h. All sizes are in values or bytes as named; memory belongs to the caller
 * and is aligned to MODEL_ALIGNMENT bytes. */
#ifndef CAE_H
#define CAE_H

#include "model.h"

enum {
    CAE_IMAGE_BYTES = 150528,
    CAE_LATENT_FLOATS = 100352,
    CAE_OUTPUT_FLOATS = 150528,
    CAE_PARAMETER_FLOATS = 259715,
    CAE_PREPARED_BYTES = 10099968,
    CAE_WORKSPACE_BYTES = 3949312,      /* inference, one thread */
    CAE_TRAIN_BYTES = 12665536,          /* training, one thread */
};

/* 1 where this processor has the instructions of x86-64-v3. */
int cae_supported(void);

#endif
