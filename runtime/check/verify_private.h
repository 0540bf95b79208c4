/* verify_private.h - the rows of a comparison: bounds, verdicts and how they are shown. For
   verify.c and verify_report.c. */
#ifndef CAEC_VERIFY_PRIVATE_H
#define CAEC_VERIFY_PRIVATE_H

#include "model.h"

/* All values within `all`, relative to the tensor's largest value. Where `most` is not 0 both are
   absolute, and 99 % of the values must be within `most` besides. */
typedef struct VerifyBound {
    double all, most;
} VerifyBound;

extern const VerifyBound verify_bound_forward, verify_bound_gradient;
VerifyBound verify_bound_update(double move); /* of an update that moves as far as that */

/* What rounding may leave of a gradient, relative to the network's largest: see verify.h. */
extern const double verify_rounding;

typedef struct VerifyRow {
    char name[512];
    double difference; /* the largest, relative; NaN where one side holds a value that is not a
                          number */
    double absolute;   /* the same, absolute */
    double within;     /* share of the values within bound.most */
    size_t rounded;    /* values that pass because rounding explains them, and for no other reason
                          */
    VerifyBound bound;
    int ok;
} VerifyRow;

typedef struct VerifyReport {
    const Model *model;
    int batch, steps;
    ModelOptimizer optimizer; /* of the file */
    int updates;              /* 1 where the updates are compared */
    double largest_gradient;  /* of the network, at step 0 */
    VerifyRow *rows;          /* with room for all */
    int count, failed;
} VerifyReport;

/* Compares count values and adds the row. rounding[count]: the absolute difference that rounding
   explains, of each value; NULL: none. */
void verify_add_row(VerifyReport *report, const char *name, const real *ours, const double *theirs,
                    const double *rounding, size_t count, VerifyBound bound);

/* Adds the row of the losses, whose differences are each relative to itself: the largest. */
void verify_add_loss(VerifyReport *report, double difference);

void verify_print(const VerifyReport *report);
void verify_print_json(const VerifyReport *report);

#endif
