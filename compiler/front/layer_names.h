/* layer_names.h - what each layer of a graph file is called. */
#ifndef CAEC_LAYER_NAMES_H
#define CAEC_LAYER_NAMES_H

#include "loader.h"

/* Fills load->names with those of both parts; the autoencoder's arguments are at the top of the
   stack. Whether a name is legal is for whoever builds its layer to say. */
void layer_names_collect(Loader *load);

#endif
