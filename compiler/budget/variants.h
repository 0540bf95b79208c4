/* variants.h - the steps that drafts are put together from: those of the network without savings,
 * and those of a fusion by other kernels, which are worked out once: no step of another fusion
 * depends on them. */
#ifndef CAEC_VARIANTS_H
#define CAEC_VARIANTS_H

#include "../program/choose.h"
#include "savings.h"

/* A step that drafts share, and of training what may stand in its place: one that recomputes its
   values, where it is of the forward half; and one whose turned packing is made on use. */
typedef struct DraftStep {
    Step step;                 /* first: variants hand out nothing but steps that stand here */
    int place[STEP_ARGUMENTS]; /* of the packing that an argument is, among all packings */
    const Step *recomputed, *packed_on_use; /* NULL: none */
} DraftStep;

/* Of a step of a variant or of the base. */
const DraftStep *draft_step(const Step *step);

/* A packing that steps read; equal packings of all steps are one. */
typedef struct DraftPacking {
    const Packing *packing;
    int place;
    struct DraftPacking *next; /* of the same parameter */
} DraftPacking;

/* The steps of one fusion by some kernels: of each program, in the order of their cores. */
typedef struct Variant {
    const Kernel *forward, *backward; /* NULL: as the network without savings has them */
    const Step ***steps;
    int *count;
    const struct Variant *same; /* an earlier one with the same steps, or itself */
    struct Variant *next;
} Variant;

typedef struct NodeList {
    Node **node;
    int count;
} NodeList;

typedef struct Variants {
    Plan *base; /* steps of all programs without a saving */
    Program **programs;
    int program_count;
    const Step ***steps;     /* of each program of the base, by core */
    DraftPacking **packings; /* by parameter, all that any step reads */
    int packing_count;
    /* Fusions with one name, copies of a layer, change their kernels together. */
    int *name_of; /* by node: which of the fusions' names its fusion has */
    int name_count;
    NodeList *nodes_of; /* by name */
    Variant **variants; /* by name */
    /* Of each program, by node: whether a step of a fusion with another name reads it, or it is a
       result. */
    bool **read_by_others;
    StepWalk walk; /* nothing known, but while a variant is planned */
} Variants;

/* Of a plan without savings. */
Variants *variants_open(const Plan *plain);

/* The steps of the fusions with that name by these kernels; NULL: by those of the base. Of variants
   that come to the same it is always the first. It takes memory that stays. */
const Variant *variant_find(Variants *variants, int name, const Kernel *forward,
                            const Kernel *backward);

#endif
