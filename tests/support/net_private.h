/* net_private.h - what the files about a net share: net.c (its layers), net_parameters.c,
   net_values.c. */
#ifndef TEST_NET_PRIVATE_H
#define TEST_NET_PRIVATE_H

#include "net.h"

int net_length(const NetLayer *layers);
NetSize net_image_size(const Net *net);

/* The index of a layer among the first `count`; -1 for the image. */
int net_find_place(const NetPlace *places, int count, const char *name);

/* Trained numbers of a layer whose input has the size. */
int net_layer_reals(const NetLayer *l, NetSize s);

#endif
