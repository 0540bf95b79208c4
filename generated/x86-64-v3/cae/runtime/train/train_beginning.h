/* train_beginning.h - what a run says before its first update. */
#ifndef CAEC_TRAIN_BEGINNING_H
#define CAEC_TRAIN_BEGINNING_H

#include "train_private.h"

/* Says what is trained on what, and how; run->train and run->val are open. */
void train_say_beginning(Run *run);

#endif
