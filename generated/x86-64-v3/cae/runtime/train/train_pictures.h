/* train_pictures.h - the pictures that a run learns from and is validated on. */
#ifndef CAEC_TRAIN_PICTURES_H
#define CAEC_TRAIN_PICTURES_H

#include "train_private.h"

/* Opens run->train and run->val: the folders of the options, or built-in pictures. A resumed run
   gets the pictures that it had; others are refused, -1. */
int train_open_pictures(Run *run, Error *error);

/* The first up to `want` (<= LOOKED_AT_LATER or the batch) readable pictures of a set into
   run->pixels; how many there are, or -1. */
int train_first_pictures(Run *run, Dataset *set, int want, Error *error);

/* "a, b and c", cut where it is too long. */
void train_name_folders(const PictureFolders *folders, char *text, size_t size);

#endif
