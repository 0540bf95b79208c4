/* packing.h - how the weights lie that kernels read. */
#ifndef CAEC_PACKING_H
#define CAEC_PACKING_H

#include "../ir/graph.h"

/* So many parameters at most go into one packing. */
enum { PACKING_PARAMETERS = 6 };

typedef struct PackingKind PackingKind;

/* A parameter's weights laid out as a kernel reads them, made by prepare() once an update. Two
   kernels that ask for the same packing share it. */
typedef struct Packing {
    const PackingKind *kind;
    const Node *parameter;                      /* whose weights they are */
    const Node *folded[PACKING_PARAMETERS - 1]; /* the other parameters of the kind, which are
                                                   computed into them */
    const Op *read_by;                          /* the operator of the step that asked first */
    int block, lanes, rotated;
    int stride_h, stride_w, dilation_h, dilation_w, up_h, up_w, pad_top, pad_left, groups;
    size_t count;     /* reals */
    size_t offset;    /* in reals, from the start of the prepared weights; set by the plan */
    const char *name; /* C name, set by the plan */
    bool learns;      /* a step of training reads it; set by the plan */
    bool training;    /* for training alone, in memory of its own, see plan_packings_apart() */
    bool on_use;      /* packed on use: not prepared, but made from `source` in the scratch memory
                         of the step that reads it, just before */
    const struct Packing *from;   /* what is made just before it, in memory that all share, and read
                                   as the parameter; NULL: the parameter is one of the graph's */
    const Node *made;             /* of that one: the node whose value it is, see Op.prepared */
    const struct Packing *source; /* then only: the blocks that forward reads */
} Packing;

/* A kind of packing, computed by two that stand side by side in kinds/: packing_<kind>.c.in is the
   text of the function that the emitted prepare() calls, packing_<kind>.c computes the same here,
   for weights that caec itself writes. Both do it in the same order: copies and sums of taps have
   the same bits; Winograd's transforms are computed here in double precision and rounded once,
   where float arithmetic rounds at each step. tests/unit/test_packings.c holds them together. */
struct PackingKind {
    const char *name;
    const char *suffix;                             /* of the C names of such packings */
    const char *parameters[PACKING_PARAMETERS + 1]; /* what the %kernel line of the text calls
                                                       them, ended by NULL; the first is
                                                       Packing.parameter, then come those that are
                                                       folded in */
    const char *text;                               /* file name of its template */
    const char *comment, *unit; /* above the function; with a unit, the block and it follow: "in
                                   blocks of", "channels" */
    /* values[packing->count] of parameters in their own layout */
    void (*values)(const Packing *packing, const float *const *parameters, float *values);
};

#define PACKING(name) extern const PackingKind packing_kind_##name;
#include "packings.def"
#undef PACKING
extern const PackingKind *const all_packing_kinds[]; /* ended by NULL */

/* Parameter i of the kind; NULL: there are no more. */
const Node *packing_parameter(const Packing *packing, int i);

bool packing_reads(const Packing *packing, const Node *parameter);

/* Whether two packings hold the same numbers; and whether those of two layers are computed by the
   same function. Names, places and users are not asked for. */
bool packing_same(const Packing *a, const Packing *b);
bool packing_alike(const Packing *a, const Packing *b);

/* For kinds. */
size_t packing_round_up(int64_t n, int lanes);
int packing_smaller(int a, int b);

/* What makes the value of such a node, with room for a number a channel after it. */
Packing packing_prepared(const Node *made);

/* The parameter as it is, filled up with zeros to a multiple of `lanes` reals. */
Packing packing_plain(const Node *parameter, int lanes);

/* In which order taps and channels come. Rotated: the kernel turned by 180 degrees with inputs and
   outputs exchanged, as dX reads it; with a stride along the row, its taps that meet the same
   outputs stand together: those whose distance from the first leaves 0 by the stride, then those
   that leave 1, ... each in falling order. */
typedef struct Taps {
    bool rotated;
    int stride, dilation, groups;
} Taps;

/* A kernel HWIO as [group][block of output channels][row][column][input channel][channel in block],
   blocks `block` wide, the last one of a group cut to a multiple of `lanes`, missing channels
   zero. */
Packing packing_blocks(const Node *parameter, int block, int lanes, Taps taps);

/* A kernel HWIO for the rows of an image before it is upsampled `up` times: taps that meet the same
   pixel are summed. For each phase of the output's rows [group][block of output
   channels][row][phase of the columns][column][input channel][channel in block]; see
   fold_taps.c.in for the phases. */
typedef struct Folding {
    int stride[2], dilation[2], up[2], pad[2]; /* of height and width */
    int groups;
} Folding;

/* What fold_taps.c.in says of one side: how many phases; taps of all of them and of the longest; of
   each its rest and taps. */
typedef struct FoldTaps {
    int phases, sum, most;
    const int *rest, *taps;
} FoldTaps;

FoldTaps packing_fold_taps(int window, int stride, int up, int pad);

Packing packing_folded(const Node *parameter, int block, int lanes, Folding folding);

/* A kernel 3x3 as Winograd's G g Gt: [36 points][block of outputs][input channel][output in block].
   With `up` 2 the outputs are the four sums of taps that convolve the small image instead of the
   upsampled one, phase by phase. Transposed: inputs and outputs exchanged (not turned), for dX. */
Packing packing_winograd(const Node *parameter, int block, int lanes, int up, bool transposed);

/* A kernel of three columns as G g along its rows: [block of outputs][6 points][row][input
   channel][output in block], the last block cut to a multiple of `lanes`, missing outputs zero.
   Rotated: the kernel turned, inputs and outputs exchanged, for dX. */
Packing packing_line(const Node *parameter, int block, int lanes, bool rotated);

/* A kernel 3x3 as G g down its columns: [block of outputs][column][input channel][6 points][output
   in block]. The outputs must fill the blocks. */
Packing packing_columns(const Node *parameter, int block, int lanes);

#endif
