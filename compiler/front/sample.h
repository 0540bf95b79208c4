/* sample.h - a small graph around one layer, for `caec --expand` and for tests of single
   kernels. */
#ifndef CAEC_SAMPLE_H
#define CAEC_SAMPLE_H

#include "../ir/graph.h"
#include "sample_numbers.h"

typedef enum SampleKind { SAMPLE_CONV, SAMPLE_STREAM, SAMPLE_DENSE } SampleKind;

/* image -> 1x1 convolution "sample.before" -> noise, dropout -> (upsampling) -> convolution
   "sample.conv" with bias and relu -> (pool) -> upsampling by 2 and layers that keep the size ->
   layer_norm, prelu, softmax, batch_norm -> group_norm -> multiply by itself -> concat with itself
   -> squared error against a second image; for streams without what comes after batch_norm. Or
   image -> flatten -> dense "sample.before" -> dense "sample.dense" with bias and relu ->
   reshape -> the error. Forward and loss, as load_graph leaves them. */
Graph *sample_graph(const Sample *sample, SampleKind kind);

#endif
