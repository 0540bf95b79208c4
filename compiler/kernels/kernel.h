/* kernel.h - how an operator is computed.
 *
 * A kernel is a pair: name.c says what it fits, how much of a fusion it takes in, what it costs and
 * which numbers its text needs; name.c.in is the text, C with holes. All decisions are made here
 * and handed to the text as numbers: the text never decides. */
#ifndef CAEC_KERNEL_H
#define CAEC_KERNEL_H

#include "../ir/graph.h"
#include "../ir/target.h"
#include "../packing/packing.h"

#include <stddef.h>

/* What a compile is for, besides the graph. */
typedef struct Settings {
    const Target *target;
    bool real_double;
    bool library;        /* the output stands alone: no OpenBLAS, one image at a time, names of
                            functions begin with the model's */
    bool no_training;    /* encode, decode and reconstruct alone */
    bool small;          /* little text before speed */
    bool shared;         /* layers that do the same share a function, as in plans of many steps they
                            do anyway */
    size_t memory_limit; /* of training, in bytes; 0: none */
    bool stream;         /* a library whose inference computes a row at a time */
    bool baked;          /* a library that carries trained weights, in the packings that its
                            inference reads */
    bool half;           /* then: as IEEE 754 binary16, which kernels bring back to float as they
                            read */
} Settings;

int settings_lanes(const Settings *settings); /* reals in a vector; 1 without vectors */
int settings_real_bytes(const Settings *settings);
/* of a number in the packings that inference reads */
int settings_weight_bytes(const Settings *settings);

typedef struct Kernel Kernel;

enum { STEP_NUMBERS = 24, STEP_ARGUMENTS = 10 };

/* An argument that the text of a kernel can name in its %kernel line: a node's value, a packing of
   a parameter, scratch memory, a sum that is kept over the images of a chunk, zero at its start, or
   the number from which training draws for the image (model.h). */
typedef struct Argument {
    const char *name;
    const Node *node;
    const Packing *packing;
    bool scratch;
    size_t sum; /* reals */
    bool noise; /* the image's number for what is drawn */
} Argument;

/* What a step of a stream reads and writes. To compute its row t of `count` it wants the rows of
   its input from floor((t * times + from) / over) up to floor((t * times + to) / over); outside the
   image they count as zeros. Of a pool's window, row t leaves the (t / pool)-th of the value behind
   with the last of `pool` rows. */
typedef struct Rows {
    int times, from, to, over, count, pool;
    int left, room; /* zero pixels before a row of the input, and reals that a row has room for,
                       with the zeros on both sides */
} Rows;

/* One call in the emitted program: a kernel, the operator at its core and what else it computes on
   the way. Only the function that makes a step writes to it, and the kernel's `plan` on its
   behalf; whoever wants it otherwise makes another (program/plan.h). */
typedef struct Step {
    const Kernel *kernel;
    const Fusion *fusion;
    const Node *core;
    /* one of a program that works by rows */
    bool streams;
    Rows rows;                                                        /* then only */
    const Node *bias, *act, *pool, *codes, *d_act, *d_pool, *db, *dx; /* taken in; NULL: not */
    const char *layer, *direction; /* "encoder.conv1", "forward" */
    const char *function;          /* C name, set by the plan */
    const char *name; /* the function's, but of a step that shares that of another layer a name of
                         its own, for its memory */
    struct {
        const char *name;
        int value;
    } numbers[STEP_NUMBERS];
    int number_count;
    Argument arguments[STEP_ARGUMENTS];
    int argument_count;
    size_t scratch;        /* reals that the kernel works in, then the packing made on use */
    const Packing *on_use; /* NULL: the step reads none */
    size_t on_use_at;      /* where it lies in the scratch memory, in reals */
    bool sums;             /* it keeps a sum over the images of a chunk, which Kernel.flush_text
                               ends */
    bool recomputes;       /* what it computes was computed before and dropped in the meantime */
    double cost;           /* of an image: estimated cycles, or measured microseconds */
    double macs;           /* multiply-adds of the direct algorithm */
    const char *why;       /* how it was chosen, for --dump plan */
} Step;

enum {
    TAKES_BIAS = 1,
    TAKES_ACT = 2,
    TAKES_POOL = 4,
    TAKES_DB = 8,
    TAKES_DX = 16,
    TAKES_ACT_FORWARD = 32
};

struct Kernel {
    const char *name, *about;
    const char *const *ops;         /* the operators it computes, NULL-ended; NULL: ... */
    bool (*computes)(const Op *op); /* ... this says which */
    unsigned takes; /* what it takes in of the fusion around them, gradients likewise;
                               TAKES_DX: dX together with dW; TAKES_ACT_FORWARD: the activation, but
                               not its gradient */
    bool batched;   /* computes a microbatch at once: its text says `of n` after the %kernel
                               line, values lie one image after another */
    bool rows;      /* for programs that work by rows, and only those: one call makes a row.
                               Its text says `of row` after the %kernel line if it must know which;
                               `x` is a list of rows, NULL outside the image */
    bool openblas;  /* calls OpenBLAS */
    bool large;     /* its text is long: where little is wanted, it is chosen only by force
                               */
    bool (*takes_pool)(const Node *core, const Node *pool); /* NULL: of any size */
    /* file name of its text */
    const char *(*text)(const Node *core);
    const char *flush_text; /* NULL, or: %kernel (sum) -> (dw), at the end of a chunk adds what the
                               kernel summed in its own domain */
    /* NULL: always; only fusion and core are set yet */
    bool (*fits)(const Step *step, const Settings *settings);
    /* cycles on the target, for the choice */
    double (*cost)(const Step *step, const Settings *settings);
    /* numbers, arguments, packings, scratch */
    void (*plan)(Step *step, const Settings *settings);
};

#define KERNEL(name) extern const Kernel kernel_##name;
#include "kernels.def"
#undef KERNEL
extern const Kernel *const all_kernels[]; /* ended by NULL */

const Kernel *kernel_find(const char *name); /* NULL: none */
bool kernel_computes(const Kernel *kernel, const Node *core);

/* whether the step computes the node, be it on the way */
bool step_covers(const Step *step, const Node *node);
/* likewise, but for gradients on the way, which no step leaves behind */
bool step_writes(const Step *step, const Node *node);
/* likewise a parameter's gradient, or one of those that it is the sum of */
bool step_adds_to(const Step *step, Node *gradient);
/* neither reads or writes what the other writes */
bool steps_commute(const Step *a, const Step *b);

/* For plan functions. */
void step_number(Step *step, const char *name, int value);
/* what lies at node_storage(); NULL is left out */
void step_node(Step *step, const char *name, const Node *node);
void step_packing(Step *step, const char *name, Packing packing);
/* what arrives at the layer's output as "dy", and where the step takes max-pool and activation in,
   "codes" and "value" */
void step_dy(Step *step, const Node *dy);
void step_scratch(Step *step, size_t reals);
void step_sum(Step *step, size_t reals); /* "sum" */
void step_noise(Step *step);             /* "noise" */
/* first and last row of the input that row t reads */
int rows_from(const Rows *rows, int t);
int rows_to(const Rows *rows, int t);
int rows_depth(const Rows *rows); /* most rows of the input that one row reads */
/* a number set before; bug() where there is none */
int step_get(const Step *step, const char *name);

/* cost of kernels that move `values` reals and compute little */
double cost_of_moving(double values, const Settings *settings);

#endif
