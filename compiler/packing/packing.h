/* packing.h - how the weights lie that kernels read. */
#ifndef CAEC_PACKING_H
#define CAEC_PACKING_H

#include "../ir/graph.h"

/* A parameter's weights laid out as a kernel reads them, made by prepare() once an update. Two
   kernels that ask for the same packing share it. */
typedef struct Packing {
    const char *kind; /* "plain", "blocks", "folded", "columns", "line" or "winograd", see
                         below */
    const Node *parameter;
    int block, lanes, rotated, up, stride, pad_top, pad_left;
    size_t count;     /* reals */
    size_t offset;    /* in reals, from the start of the prepared weights; set by the plan */
    const char *name; /* C name, set by the plan */
    bool training;    /* for training alone, in memory of its own, see plan_packings_apart() */
    bool on_use;      /* packed on use: not prepared, but made from `source` in the scratch memory
                         of the step that reads it, just before */
    const struct Packing *source; /* then only: the blocks that forward reads */
    struct Packing *next;         /* of the same parameter, in the plan */
    int place;                    /* of a draft, plan/draft.h: its number */
} Packing;

/* The parameter as it is, filled up with zeros to a multiple of `lanes` reals. */
Packing packing_plain(const Node *parameter, int lanes);

/* A kernel HWIO as [block of output channels][row][column][input channel][channel in block], blocks
   `block` wide, the last one cut to a multiple of `lanes`, missing channels zero. Rotated: the
   kernel turned by 180 degrees with inputs and outputs exchanged, as dX reads it; with a stride,
   the taps of a row that meet the same outputs stand together: those of column 0, stride, 2 stride
   ..., then those of 1, 1 + stride, ... each in falling order. */
Packing packing_blocks(const Node *parameter, int block, int lanes, bool rotated, int stride);

/* A kernel HWIO for the rows of an image before it is upsampled `up` times: taps that meet the same
   pixel are summed. For each phase of the output's rows [block of output channels][row][phase of
   the columns][column][input channel][channel in block]; see fold_taps.c.in for the phases. */
typedef struct Folding {
    int stride, up, pad_top, pad_left;
} Folding;

/* What fold_taps.c.in says of one side: how many phases; taps of all of them and of the longest; of
   each its rest and taps. */
typedef struct FoldTaps {
    int phases, sum, most;
    const int *rest, *taps;
} FoldTaps;

FoldTaps packing_fold_taps(int kernel, int stride, int up, int pad);

Packing packing_folded(const Node *parameter, int block, int lanes, Folding folding);

/* A kernel 3x3 as Winograd's G g Gt: [36 points][block of outputs][input channel][output in block].
   With `up` 2 the outputs are the four sums of taps that convolve the small image instead of the
   upsampled one, phase by phase. Transposed: inputs and outputs exchanged (not turned), for dX. */
Packing packing_winograd(const Node *parameter, int block, int lanes, int up, bool transposed);

/* A kernel 3x3 as G g along its rows: [block of outputs][6 points][row][input channel][output in
   block], the last block cut to a multiple of `lanes`, missing outputs zero. */
Packing packing_line(const Node *parameter, int block, int lanes);

/* A kernel 3x3 as G g down its columns: [block of outputs][column][input channel][6 points][output
   in block]. The outputs must fill the blocks. */
Packing packing_columns(const Node *parameter, int block, int lanes);

/* packing_values.c: what the emitted prepare function of the packing, one that inference reads,
   makes of a parameter: values[packing->count]. Copies and sums of taps have the same bits;
   Winograd's transforms are computed in double precision and rounded once, where float arithmetic
   rounds at each step. */
void packing_values(const Packing *packing, const float *parameter, float *values);

#endif
