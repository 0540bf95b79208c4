/* layers.h - the lists of layers of a graph file, to nodes. */
#ifndef CAEC_LAYERS_H
#define CAEC_LAYERS_H

#include "loader.h"
#include "words.h"

/* Builds the layers of the part that `field` of the autoencoder's arguments holds, "encoder" or
   "decoder"; those are at the top of the stack, and load->names is filled. `other`: the other
   part's name, or NULL. Returns the output for the input x, and the part's name in *name. */
Node *layers_load_part(Loader *load, const Word *model, const char *field, const char *other,
                       Node *x, const char **name);

#endif
