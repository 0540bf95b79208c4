/* sample_numbers.h - the numbers of a sample graph, as `caec --expand` takes them. */
#ifndef CAEC_SAMPLE_NUMBERS_H
#define CAEC_SAMPLE_NUMBERS_H

#include <stdbool.h>

/* The numbers that NAME=NUMBER may set, with their defaults. */
typedef struct Sample {
    int height, width;      /* H=16 W=16: input of the convolution */
    int ci, co;             /* CI=3 CO=16; inputs and units of a dense layer */
    int kernel, stride, up; /* K=3 STRIDE=1 UP=1 */
    int kernel_w, stride_w; /* KW=0 STRIDEW=0: along the width, 0: as K and STRIDE */
    int dilation, groups;   /* DILATION=1 GROUPS=1 */
    int same;               /* SAME=1: padding "same", 0: "valid" */
    int pool;               /* POOL=0: size of the max-pool after it, 0: none */
} Sample;

extern const Sample sample_default;

/* Sets one number; false where none is called so. */
bool sample_set(Sample *sample, const char *name, int value);

/* Ends the program with a message where a number makes no sense. */
void sample_check(const Sample *sample);

#endif
