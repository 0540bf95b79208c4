/* verify_private.h - what verify.c (the comparison), verify_file.c (the reference file) and
   verify_report.c (rows, bounds, verdicts and how they are shown) share. */
#ifndef CAEC_VERIFY_PRIVATE_H
#define CAEC_VERIFY_PRIVATE_H

#include "compute/optimizer.h"
#include "error.h"
#include "formats/safetensors.h"
#include "model.h"

#include <stdbool.h>

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

/* Everything of one comparison. */
typedef struct Verify {
    const Model *model;
    const char *path;
    Safetensors file;
    VerifyReport report;
    const uint8_t **images; /* [batch], into pixels */
    uint8_t *pixels;
    real *parameters, *gradient; /* [parameter_reals] */
    real *latent, *output;       /* [batch] of them */
    double *losses, *theirs;     /* [batch]; room for the largest tensor of the file */
    double *rounding;            /* the same room: what rounding explains of a difference */
    double *noise;               /* [parameter_count]: how far rounding may have each gradient off
                                    */
    double move;                 /* the furthest by which the first update moves a parameter */
    void *prepared, *workspace;
    ModelGroups whole; /* the model's groups, if it has any, as one of the whole batch ... */
    void *shared;      /* ... and what that shares */
    Optimizer optimizer;
} Verify;

/* Reads the batch's size and the number of updates into the report; refuses a file that lacks a
   tensor, has one of another shape, or one too many. */
int verify_check_file(Verify *v, Error *error);

bool verify_is_present(const Verify *v, const char *prefix, const char *name);

/* Of the model's parameter i: whether it is trained; whether updates take it to what the batch has
   seen of it; whether a reference need not have it, as statistics and the share of a warm-up, which
   then start as they do here. */
bool verify_trains(const Verify *v, int i);
bool verify_is_statistic(const Verify *v, int i);
bool verify_may_lack(const Verify *v, int i);

void verify_print(const VerifyReport *report);
void verify_print_json(const VerifyReport *report);

#endif
