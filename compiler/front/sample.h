/* sample.h - a small graph around one layer, for `caec --expand` and for tests of single
   kernels. */
#ifndef CAEC_SAMPLE_H
#define CAEC_SAMPLE_H

#include "../ir/graph.h"

/* The numbers that NAME=NUMBER may set, with their defaults. */
typedef struct Sample {
    int height, width;      /* H=16 W=16: input of the convolution */
    int ci, co;             /* CI=3 CO=16; inputs and units of a dense layer */
    int kernel, stride, up; /* K=3 STRIDE=1 UP=1 */
    int same;               /* SAME=1: padding "same", 0: "valid" */
    int pool;               /* POOL=0: size of the max-pool after it, 0: none */
} Sample;

typedef enum SampleKind { SAMPLE_CONV, SAMPLE_STREAM, SAMPLE_DENSE } SampleKind;

extern const Sample sample_default;

/* Sets one number; false where none is called so. */
bool sample_set(Sample *sample, const char *name, int value);

/* Ends the program with a message where a number makes no sense. */
void sample_check(const Sample *sample);

/* image -> 1x1 convolution "sample.before" -> noise, dropout -> (upsampling) -> convolution
   "sample.conv" with bias and relu -> (pool) -> upsampling by 2 -> group_norm -> concat with itself
   -> squared error against a second image; for streams without the last two. Or image -> flatten ->
   dense "sample.before" -> dense "sample.dense" with bias and relu -> reshape -> the error. Forward
   and loss, as load_graph leaves them. */
Graph *sample_graph(const Sample *sample, SampleKind kind);

#endif
