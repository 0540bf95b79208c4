/* parts.h - a stage of training, seen as if it were a model by itself. */
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include "drive.h"

/* Its functions, and of the parameters those that it trains, where they lie. */
typedef struct Part {
    Model model;
    ModelParameter parameters[4 * MAX_NET];
} Part;

void part_of(const Model *model, int stage, Part *part);

/* Fails the test where the stage's gradient touches what it does not train, or leaves all of a
   tensor that it does untouched (not asked of a net that nobody chose). `driven` is of its part,
   `whole` the model. */
void check_rest(const Net *net, Driven *driven, const Model *whole, int stage, bool random);

#endif
