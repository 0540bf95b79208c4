/* Keras's words, its older ones among them, and PyTorch's where they are others. */
#include "other_words.h"

#include "../base/arena.h"
#include "../ops/ops.h"

#include <string.h>

#define LENGTHS " on input = { 1, length, channels }"
#define NO_DEPTH \
    "caec has images of height, width and channels, no third dimension; slices can be channels"
#define NO_MEMORY \
    "caec has no recurrent layers; for time series use conv2d { kernel = { 1, k } }" LENGTHS
#define NO_ATTENTION \
    "caec has no attention; gates over channels are dense layers, a sigmoid and multiply"
#define NO_LISTS "caec reads pictures and arrays of numbers, no words or categories"
#define AUGMENTED "it changes pictures in training: training = { mirror = true } mirrors them"
#define AS_A_LAYER "an activation is a layer by its own name, as relu {}, or activation = \"relu\""
#define NO_EXPRESSIONS \
    "layers are caec's words alone; sums, products and constants are add, multiply and rescale"

const OtherWord other_words[] = {
    /* one side */
    { "conv1d", "conv2d { kernel = { 1, k } }" LENGTHS },
    { "convolution1d", "conv2d { kernel = { 1, k } }" LENGTHS },
    { "conv1dtranspose", "conv2d_transpose { kernel = { 1, k }, stride = { 1, s } }" LENGTHS },
    { "convtranspose1d", "conv2d_transpose { kernel = { 1, k }, stride = { 1, s } }" LENGTHS },
    { "depthwiseconv1d", "depthwise_conv2d { kernel = { 1, k } }" LENGTHS },
    { "separableconv1d", "separable_conv2d { kernel = { 1, k } }" LENGTHS },
    { "maxpool1d", "max_pool2d { size = { 1, n } }" LENGTHS },
    { "maxpooling1d", "max_pool2d { size = { 1, n } }" LENGTHS },
    { "avgpool1d", "avg_pool2d { size = { 1, n } }" LENGTHS },
    { "averagepooling1d", "avg_pool2d { size = { 1, n } }" LENGTHS },
    { "globalavgpool1d", "global_avg_pool2d {}" LENGTHS },
    { "globalaveragepooling1d", "global_avg_pool2d {}" LENGTHS },
    { "globalmaxpool1d", "global_max_pool2d {}" LENGTHS },
    { "globalmaxpooling1d", "global_max_pool2d {}" LENGTHS },
    { "upsampling1d", "upsample2d { size = { 1, n } }" LENGTHS },
    { "zeropadding1d", "zero_pad2d { padding = { 0, n } }" LENGTHS },
    { "zeropad1d", "zero_pad2d { padding = { 0, n } }" LENGTHS },
    { "constantpad1d", "zero_pad2d { padding = { 0, n } }" LENGTHS },
    { "cropping1d", "crop2d { padding = { 0, n } }" LENGTHS },
    { "crop1d", "crop2d { padding = { 0, n } }" LENGTHS },
    { "dropout1d", "dropout { rate = r }" },
    { "spatialdropout1d", "dropout { rate = r }, which drops single values, not whole channels" },
    /* two, by other names */
    { "convolution2d", "conv2d { filters = n, kernel = k }" },
    { "convtranspose2d", "conv2d_transpose { filters = n, kernel = k }" },
    { "deconv2d", "conv2d_transpose { filters = n, kernel = k }" },
    { "deconvolution2d", "conv2d_transpose { filters = n, kernel = k }" },
    { "maxpooling2d", "max_pool2d { size = n }" },
    { "averagepooling2d", "avg_pool2d { size = n }" },
    { "globalaveragepooling2d", "global_avg_pool2d {}" },
    { "globalmaxpooling2d", "global_max_pool2d {}" },
    { "adaptiveavgpool2d", "global_avg_pool2d {} for one value a channel" },
    { "adaptivemaxpool2d", "global_max_pool2d {} for one value a channel" },
    { "maxunpooling2d", "max_unpool2d { pool = \"encoder.pool1\" }" },
    { "upsample", "upsample2d { size = n }" },
    { "upsamplingnearest2d", "upsample2d { size = n }" },
    { "upsamplingbilinear2d",
      "upsample2d { size = n, interpolation = \"bilinear\" }, with half-pixel centres" },
    { "resizing",
      "upsample2d { size = n } for larger images, avg_pool2d { size = n } for smaller ones" },
    { "zeropadding2d", "zero_pad2d { padding = n }" },
    { "constantpad2d", "zero_pad2d { padding = n }" },
    { "reflectionpad2d", "zero_pad2d { padding = n }; caec pads with zeros only" },
    { "replicationpad2d", "zero_pad2d { padding = n }; caec pads with zeros only" },
    { "cropping2d", "crop2d { padding = n }" },
    { "centercrop", "crop2d { padding = n }" },
    { "pixelshuffle",
      "depth_to_space { size = n }; PyTorch has the place in the block last, TensorFlow and caec "
      "have it first" },
    { "pixelunshuffle",
      "space_to_depth { size = n }; PyTorch has the place in the block last, TensorFlow and caec "
      "have it first" },
    { "spatialdropout2d", "dropout { rate = r }, which drops single values, not whole channels" },
    { "dropout2d", "dropout { rate = r }, which drops single values, not whole channels" },
    { "alphadropout", "dropout { rate = r }" },
    { "gaussiandropout", "gaussian_noise { stddev = s } or dropout { rate = r }" },
    /* three */
    { "conv3d", NO_DEPTH },
    { "conv3dtranspose", NO_DEPTH },
    { "convtranspose3d", NO_DEPTH },
    { "maxpool3d", NO_DEPTH },
    { "maxpooling3d", NO_DEPTH },
    { "avgpool3d", NO_DEPTH },
    { "averagepooling3d", NO_DEPTH },
    { "globalaveragepooling3d", NO_DEPTH },
    { "globalmaxpooling3d", NO_DEPTH },
    { "upsampling3d", NO_DEPTH },
    { "zeropadding3d", NO_DEPTH },
    { "cropping3d", NO_DEPTH },
    /* values */
    { "linear", "dense { units = n }; linear {} is an activation" },
    { "fullyconnected", "dense { units = n }" },
    { "unflatten", "reshape { shape = { h, w, c } }" },
    { "view", "reshape { shape = { h, w, c } }" },
    { "concatenate", "concat { with = \"encoder.conv1\" }" },
    { "cat", "concat { with = \"encoder.conv1\" }" },
    { "subtract", "rescale { scale = -1 } after one of the two, then add" },
    { "average", "add { with = ... }, then rescale { scale = 1 / n }" },
    { "rescaling", "rescale { scale = a, offset = b }" },
    { "normalization",
      "rescale { scale = 1 / deviation, offset = -mean / deviation }; lists give one a channel" },
    { "repeatvector", "reshape { shape = { 1, 1, c } }, then upsample2d { size = { 1, n } }" },
    { "batchnormalization", "batch_norm {}" },
    { "groupnormalization", "group_norm { groups = n }" },
    { "layernormalization", "layer_norm {}" },
    { "instancenormalization", "instance_norm {}" },
    { "input",
      "its shape stands in autoencoder \"x\" { input = { height, width, channels }, ... }" },
    { "inputlayer",
      "its shape stands in autoencoder \"x\" { input = { height, width, channels }, ... }" },
    { "activation", AS_A_LAYER },
    { "swish", "silu {}" },
    { "hardswish", "hard_swish {}" },
    { "hardsilu", "hard_swish {}" },
    { "thresholdedrelu", "relu {}, which has no threshold" },
    { "lambda", NO_EXPRESSIONS },
    { "maximum", NO_EXPRESSIONS },
    { "minimum", NO_EXPRESSIONS },
    { "dot", NO_EXPRESSIONS },
    { "permute", "caec has one order, height, width, channels; reshape keeps it" },
    { "randomflip", AUGMENTED },
    { "randomrotation", AUGMENTED },
    { "randomzoom", AUGMENTED },
    { "randomtranslation", AUGMENTED },
    { "randomcrop", AUGMENTED },
    { "lstm", NO_MEMORY },
    { "gru", NO_MEMORY },
    { "rnn", NO_MEMORY },
    { "simplernn", NO_MEMORY },
    { "convlstm1d", NO_MEMORY },
    { "convlstm2d", NO_MEMORY },
    { "bidirectional", NO_MEMORY },
    { "timedistributed", NO_MEMORY },
    { "attention", NO_ATTENTION },
    { "additiveattention", NO_ATTENTION },
    { "multiheadattention", NO_ATTENTION },
    { "embedding", NO_LISTS },
    { "textvectorization", NO_LISTS },
    { "categoryencoding", NO_LISTS },
    { NULL, NULL },
};

static size_t word_length(const OtherWord *other)
{
    return strspn(other->how, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

/* caec's word at the start. */
static const char *word_of(const OtherWord *other)
{
    return arena_copy(other->how, word_length(other));
}

bool other_word_is_said(const OtherWord *other)
{
    return strstr(other->how, " {") == other->how + word_length(other);
}

const OtherWord *other_word_find(const char *bare_name)
{
    for (const OtherWord *o = other_words; o->name; o++)
        if (strcmp(o->name, bare_name) == 0 && (!other_word_is_said(o) || layer_find(word_of(o))))
            return o;
    return NULL;
}
