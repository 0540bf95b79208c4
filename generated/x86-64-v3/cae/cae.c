/* cae: 224x224x3 -> 28x28x128 -> 224x224x3, the network of cae.lua, compiled by caec 0.1.0 for
   x86-64-v3.
 *
 * One call per layer and direction; the kernels are in the files named after them. */
#include "cae.h"
#include "cae_kernels.h"

/* The parameters in the flat array, and the gradients likewise, in floats. */
enum {
    P_ENCODER_CONV1_KERNEL = 0,                       /* 3x3x3x32 */
    P_ENCODER_CONV1_BIAS = 864,                       /* 32 */
    P_ENCODER_CONV2_KERNEL = 896,                     /* 3x3x32x64 */
    P_ENCODER_CONV2_BIAS = 19328,                     /* 64 */
    P_ENCODER_CONV3_KERNEL = 19392,                   /* 3x3x64x128 */
    P_ENCODER_CONV3_BIAS = 93120,                     /* 128 */
    P_DECODER_CONV1_KERNEL = 93248,                   /* 3x3x128x128 */
    P_DECODER_CONV1_BIAS = 240704,                    /* 128 */
    P_DECODER_CONV2_KERNEL = 240832,                  /* 3x3x128x16 */
    P_DECODER_CONV2_BIAS = 259264,                    /* 16 */
    P_DECODER_CONV3_KERNEL = 259280,                  /* 3x3x16x3 */
    P_DECODER_CONV3_BIAS = 259712,                    /* 3 */
};

static const ModelParameter parameters[] = {
    { "encoder.conv1.kernel", { 4, { 3, 3, 3, 32 } },
      P_ENCODER_CONV1_KERNEL, 864, 0.13801311186847084, 0 },
    { "encoder.conv1.bias", { 1, { 32 } },
      P_ENCODER_CONV1_BIAS, 32, 0, 0 },
    { "encoder.conv2.kernel", { 4, { 3, 3, 32, 64 } },
      P_ENCODER_CONV2_KERNEL, 18432, 0.08333333333333333, 0 },
    { "encoder.conv2.bias", { 1, { 64 } },
      P_ENCODER_CONV2_BIAS, 64, 0, 0 },
    { "encoder.conv3.kernel", { 4, { 3, 3, 64, 128 } },
      P_ENCODER_CONV3_KERNEL, 73728, 0.05892556509887896, 0 },
    { "encoder.conv3.bias", { 1, { 128 } },
      P_ENCODER_CONV3_BIAS, 128, 0, 0 },
    { "decoder.conv1.kernel", { 4, { 3, 3, 128, 128 } },
      P_DECODER_CONV1_KERNEL, 147456, 0.05103103630798288, 0 },
    { "decoder.conv1.bias", { 1, { 128 } },
      P_DECODER_CONV1_BIAS, 128, 0, 0 },
    { "decoder.conv2.kernel", { 4, { 3, 3, 128, 16 } },
      P_DECODER_CONV2_KERNEL, 18432, 0.06804138174397717, 0 },
    { "decoder.conv2.bias", { 1, { 16 } },
      P_DECODER_CONV2_BIAS, 16, 0, 0 },
    { "decoder.conv3.kernel", { 4, { 3, 3, 16, 3 } },
      P_DECODER_CONV3_KERNEL, 432, 0.1873171623163388, 0 },
    { "decoder.conv3.bias", { 1, { 3 } },
      P_DECODER_CONV3_BIAS, 3, 0, 0 },
};

/* The same weights, packed for the kernels, in floats from the start of the prepared block. */
enum {
    W_ENCODER_CONV1_KERNEL_COLUMNS = 0,
    W_ENCODER_CONV1_BIAS = 1728,
    W_ENCODER_CONV2_KERNEL_WINOGRAD = 1760,
    W_ENCODER_CONV2_BIAS = 75488,
    W_ENCODER_CONV3_KERNEL_WINOGRAD = 75552,
    W_ENCODER_CONV3_BIAS = 370464,
    W_DECODER_CONV1_KERNEL_WINOGRAD = 370592,
    W_DECODER_CONV1_BIAS = 960416,
    W_DECODER_CONV2_KERNEL_WINOGRAD = 960544,
    W_DECODER_CONV2_BIAS = 1255456,
    W_DECODER_CONV3_KERNEL_WINOGRAD = 1255472,
    W_DECODER_CONV3_BIAS = 1264688,
    W_DECODER_CONV3_KERNEL_WINOGRAD_TURNED = 1264704,
    W_DECODER_CONV2_KERNEL_WINOGRAD_TURNED = 1271616,
    W_DECODER_CONV1_KERNEL_WINOGRAD_TURNED = 1566528,
    W_ENCODER_CONV3_KERNEL_WINOGRAD_TURNED = 2156352,
    W_ENCODER_CONV2_KERNEL_WINOGRAD_TURNED = 2451264,
};

static void prepare(const float *parameters_, void *prepared)
{
    float *w = prepared;
    prepare_encoder_conv1_kernel_columns(parameters_ + P_ENCODER_CONV1_KERNEL,
        w + W_ENCODER_CONV1_KERNEL_COLUMNS);
    prepare_encoder_conv1_bias(parameters_ + P_ENCODER_CONV1_BIAS, w + W_ENCODER_CONV1_BIAS);
    prepare_encoder_conv2_kernel_winograd(parameters_ + P_ENCODER_CONV2_KERNEL,
        w + W_ENCODER_CONV2_KERNEL_WINOGRAD);
    prepare_encoder_conv2_bias(parameters_ + P_ENCODER_CONV2_BIAS, w + W_ENCODER_CONV2_BIAS);
    prepare_encoder_conv3_kernel_winograd(parameters_ + P_ENCODER_CONV3_KERNEL,
        w + W_ENCODER_CONV3_KERNEL_WINOGRAD);
    prepare_encoder_conv3_bias(parameters_ + P_ENCODER_CONV3_BIAS, w + W_ENCODER_CONV3_BIAS);
    prepare_decoder_conv1_kernel_winograd(parameters_ + P_DECODER_CONV1_KERNEL,
        w + W_DECODER_CONV1_KERNEL_WINOGRAD);
    prepare_decoder_conv1_bias(parameters_ + P_DECODER_CONV1_BIAS, w + W_DECODER_CONV1_BIAS);
    prepare_decoder_conv2_kernel_winograd(parameters_ + P_DECODER_CONV2_KERNEL,
        w + W_DECODER_CONV2_KERNEL_WINOGRAD);
    prepare_decoder_conv2_bias(parameters_ + P_DECODER_CONV2_BIAS, w + W_DECODER_CONV2_BIAS);
    prepare_decoder_conv3_kernel_winograd(parameters_ + P_DECODER_CONV3_KERNEL,
        w + W_DECODER_CONV3_KERNEL_WINOGRAD);
    prepare_decoder_conv3_bias(parameters_ + P_DECODER_CONV3_BIAS, w + W_DECODER_CONV3_BIAS);
    prepare_decoder_conv3_kernel_winograd_turned(parameters_ + P_DECODER_CONV3_KERNEL,
        w + W_DECODER_CONV3_KERNEL_WINOGRAD_TURNED);
    prepare_decoder_conv2_kernel_winograd_turned(parameters_ + P_DECODER_CONV2_KERNEL,
        w + W_DECODER_CONV2_KERNEL_WINOGRAD_TURNED);
    prepare_decoder_conv1_kernel_winograd_turned(parameters_ + P_DECODER_CONV1_KERNEL,
        w + W_DECODER_CONV1_KERNEL_WINOGRAD_TURNED);
    prepare_encoder_conv3_kernel_winograd_turned(parameters_ + P_ENCODER_CONV3_KERNEL,
        w + W_ENCODER_CONV3_KERNEL_WINOGRAD_TURNED);
    prepare_encoder_conv2_kernel_winograd_turned(parameters_ + P_ENCODER_CONV2_KERNEL,
        w + W_ENCODER_CONV2_KERNEL_WINOGRAD_TURNED);
}

/* Adds the time since the last mark to the step's. */
static inline void mark(ModelClock *clock, int step)
{
    if (!clock)
        return;
    const double now = clock->now();
    clock->seconds[step] += now - clock->last;
    clock->last = now;
}

/* A workspace for train, 12665536 bytes. Values whose lives (first to last step) do not meet share
   their place. */
typedef struct Train {
    float *encoder_pool1;                          /* 112x112x32, steps 0 to 13 */
    int32_t *encoder_pool1_argmax;                 /* 112x112x32, steps 0 to 13 */
    float *encoder_conv1_forward_scratch;          /* steps 0 to 0 */
    float *encoder_pool2;                          /* 56x56x64, steps 1 to 12 */
    int32_t *encoder_pool2_argmax;                 /* 56x56x64, steps 1 to 12 */
    float *encoder_conv2_forward_scratch;          /* steps 1 to 1 */
    float *encoder_pool3;                          /* 28x28x128, steps 2 to 11 */
    int32_t *encoder_pool3_argmax;                 /* 28x28x128, steps 2 to 11 */
    float *encoder_conv3_forward_scratch;          /* steps 2 to 2 */
    float *decoder_conv1_relu;                     /* 28x28x128, steps 3 to 10 */
    float *decoder_conv1_forward_scratch;          /* steps 3 to 3 */
    float *decoder_conv2_relu;                     /* 56x56x16, steps 4 to 9 */
    float *decoder_conv2_forward_scratch;          /* steps 4 to 4 */
    float *decoder_conv3_relu;                     /* 112x112x3, steps 5 to 8 */
    float *decoder_conv3_forward_scratch;          /* steps 5 to 5 */
    float *loss_forward_scratch;                   /* steps 6 to 6 */
    float *loss_dx;                                /* 112x112x3, steps 7 to 8 */
    float *decoder_conv3_dx;                       /* 56x56x16, steps 8 to 9 */
    float *decoder_conv3_backward_sum;             /* steps 0 to 13 */
    float *decoder_conv3_backward_scratch;         /* steps 8 to 8 */
    float *decoder_conv2_dx;                       /* 28x28x128, steps 9 to 10 */
    float *decoder_conv2_backward_sum;             /* steps 0 to 13 */
    float *decoder_conv2_backward_scratch;         /* steps 9 to 9 */
    float *decoder_conv1_dx;                       /* 28x28x128, steps 10 to 11 */
    float *decoder_conv1_backward_sum;             /* steps 0 to 13 */
    float *decoder_conv1_backward_scratch;         /* steps 10 to 10 */
    float *encoder_conv3_dx;                       /* 56x56x64, steps 11 to 12 */
    float *encoder_conv3_backward_sum;             /* steps 0 to 13 */
    float *encoder_conv3_backward_scratch;         /* steps 11 to 11 */
    float *encoder_conv2_dx;                       /* 112x112x32, steps 12 to 13 */
    float *encoder_conv2_backward_sum;             /* steps 0 to 13 */
    float *encoder_conv2_backward_scratch;         /* steps 12 to 12 */
    float *encoder_conv1_dw_sum;                   /* steps 0 to 13 */
    float *encoder_conv1_dw_scratch;               /* steps 13 to 13 */
} Train;

static Train train_workspace(void *workspace)
{
    char *at = workspace;
    return (Train){
        .encoder_pool1 = (float *)(void *)(at + 5365056),
        .encoder_pool1_argmax = (int32_t *)(void *)(at + 12435328),
        .encoder_conv1_forward_scratch = (float *)(void *)(at),
        .encoder_pool2 = (float *)(void *)(at + 9330176),
        .encoder_pool2_argmax = (int32_t *)(void *)(at + 12535744),
        .encoder_conv2_forward_scratch = (float *)(void *)(at),
        .encoder_pool3 = (float *)(void *)(at + 10935936),
        .encoder_pool3_argmax = (int32_t *)(void *)(at + 12622912),
        .encoder_conv3_forward_scratch = (float *)(void *)(at),
        .decoder_conv1_relu = (float *)(void *)(at + 10133056),
        .decoder_conv1_forward_scratch = (float *)(void *)(at),
        .decoder_conv2_relu = (float *)(void *)(at + 2301696),
        .decoder_conv2_forward_scratch = (float *)(void *)(at),
        .decoder_conv3_relu = (float *)(void *)(at + 248512),
        .decoder_conv3_forward_scratch = (float *)(void *)(at),
        .loss_forward_scratch = (float *)(void *)(at),
        .loss_dx = (float *)(void *)(at + 399104),
        .decoder_conv3_dx = (float *)(void *)(at + 2502464),
        .decoder_conv3_backward_sum = (float *)(void *)(at + 12585984),
        .decoder_conv3_backward_scratch = (float *)(void *)(at),
        .decoder_conv2_dx = (float *)(void *)(at + 11337408),
        .decoder_conv2_backward_sum = (float *)(void *)(at + 6970752),
        .decoder_conv2_backward_scratch = (float *)(void *)(at),
        .decoder_conv1_dx = (float *)(void *)(at + 11738880),
        .decoder_conv1_backward_sum = (float *)(void *)(at + 3005696),
        .decoder_conv1_backward_scratch = (float *)(void *)(at),
        .encoder_conv3_dx = (float *)(void *)(at + 10133056),
        .encoder_conv3_backward_sum = (float *)(void *)(at + 8150464),
        .encoder_conv3_backward_scratch = (float *)(void *)(at),
        .encoder_conv2_dx = (float *)(void *)(at),
        .encoder_conv2_backward_sum = (float *)(void *)(at + 12140352),
        .encoder_conv2_backward_scratch = (float *)(void *)(at + 1605696),
        .encoder_conv1_dw_sum = (float *)(void *)(at + 12651648),
        .encoder_conv1_dw_scratch = (float *)(void *)(at + 1605696),
    };
}

static const ModelStep train_steps[] = {
    { "encoder.conv1", "forward", "conv_thin", 43352064, 1341264, 401408, 32 },
    { "encoder.conv2", "forward", "conv_winograd", 231211008, 2332544, 200704, 64 },
    { "encoder.conv3", "forward", "conv_winograd", 231211008, 2733984, 100352, 128 },
    { "decoder.conv1", "forward", "conv_winograd", 115605504, 2533264, 100352, 128 },
    { "decoder.conv2", "forward", "conv_winograd", 57802752, 575424, 50176, 16 },
    { "decoder.conv3", "forward", "conv_winograd", 5419008, 62128, 37632, 3 },
    { "loss", "forward", "loss", 0, 0, 0, 0 },
    { "loss", "dX", "loss", 0, 99776, 37632, 0 },
    { "decoder.conv3", "dX+dW", "conv_winograd", 10838016, 625616, 50176, 0 },
    { "decoder.conv2", "dX+dW", "conv_winograd", 115605504, 2834352, 100352, 0 },
    { "decoder.conv1", "dX+dW", "conv_winograd", 231211008, 2934720, 100352, 0 },
    { "encoder.conv3", "dX+dW", "conv_winograd", 462422016, 2533264, 200704, 0 },
    { "encoder.conv2", "dX+dW", "conv_winograd", 462422016, 0, 401408, 0 },
    { "encoder.conv1", "dW", "conv_winograd", 43352064, 0, 0, 0 },
};

/* The loss of one image, and every value that backward reads. */
static double cae_forward(const float *w, const uint8_t *image, const Train *t, ModelClock *clock)
{
    double loss;
    /* cae.lua:10 conv2d 3x3 + bias_add + relu + max_pool2d + max_pool2d_argmax -> 112x112x32 */
    encoder_conv1_forward(image, w + W_ENCODER_CONV1_KERNEL_COLUMNS, w + W_ENCODER_CONV1_BIAS,
                          t->encoder_pool1, t->encoder_pool1_argmax,
                          t->encoder_conv1_forward_scratch, 0, 56);
    mark(clock, 0);
    /* cae.lua:12 conv2d 3x3 + bias_add + relu + max_pool2d + max_pool2d_argmax -> 56x56x64 */
    encoder_conv2_forward(t->encoder_pool1, w + W_ENCODER_CONV2_KERNEL_WINOGRAD,
                          w + W_ENCODER_CONV2_BIAS, t->encoder_pool2, t->encoder_pool2_argmax,
                          t->encoder_conv2_forward_scratch, 0, 28);
    mark(clock, 1);
    /* cae.lua:14 conv2d 3x3 + bias_add + relu + max_pool2d + max_pool2d_argmax -> 28x28x128 */
    encoder_conv3_forward(t->encoder_pool2, w + W_ENCODER_CONV3_KERNEL_WINOGRAD,
                          w + W_ENCODER_CONV3_BIAS, t->encoder_pool3, t->encoder_pool3_argmax,
                          t->encoder_conv3_forward_scratch, 0, 14);
    mark(clock, 2);
    /* cae.lua:19 conv2d 3x3 + bias_add + relu -> 28x28x128 */
    decoder_conv1_forward(t->encoder_pool3, w + W_DECODER_CONV1_KERNEL_WINOGRAD,
                          w + W_DECODER_CONV1_BIAS, t->decoder_conv1_relu,
                          t->decoder_conv1_forward_scratch, 0, 7);
    mark(clock, 3);
    /* cae.lua:21 conv2d 3x3 on 2x upsampled + bias_add + relu -> 56x56x16 */
    decoder_conv2_forward(t->decoder_conv1_relu, w + W_DECODER_CONV2_KERNEL_WINOGRAD,
                          w + W_DECODER_CONV2_BIAS, t->decoder_conv2_relu,
                          t->decoder_conv2_forward_scratch, 0, 7);
    mark(clock, 4);
    /* cae.lua:23 conv2d 3x3 on 2x upsampled + bias_add + relu -> 112x112x3 */
    decoder_conv3_forward(t->decoder_conv2_relu, w + W_DECODER_CONV3_KERNEL_WINOGRAD,
                          w + W_DECODER_CONV3_BIAS, t->decoder_conv3_relu,
                          t->decoder_conv3_forward_scratch, 0, 14);
    mark(clock, 5);
    /* cae.lua:31 mse -> 1 */
    loss_forward(t->decoder_conv3_relu, image, &loss, t->loss_forward_scratch);
    mark(clock, 6);
    return loss;
}

/* Adds the gradient of the loss of the image that cae_forward has just seen. */
static void cae_backward(const float *w, const uint8_t *image, const Train *t, float *gradient,
    ModelClock *clock)
{
    /* cae.lua:31 mse_dx -> 112x112x3 */
    loss_dx(t->decoder_conv3_relu, image, t->loss_dx);
    mark(clock, 7);
    /* cae.lua:23 relu_dx + conv2d_dw 3x3 on 2x upsampled + bias_add_db + conv2d_dx -> 3x3x16x3 */
    decoder_conv3_backward(t->decoder_conv2_relu, t->loss_dx, t->decoder_conv3_relu,
                           w + W_DECODER_CONV3_KERNEL_WINOGRAD_TURNED, t->decoder_conv3_dx,
                           t->decoder_conv3_backward_sum, gradient + P_DECODER_CONV3_BIAS,
                           t->decoder_conv3_backward_scratch);
    mark(clock, 8);
    /* cae.lua:21 relu_dx + conv2d_dw 3x3 on 2x upsampled + bias_add_db + conv2d_dx -> 3x3x128x16 */
    decoder_conv2_backward(t->decoder_conv1_relu, t->decoder_conv3_dx, t->decoder_conv2_relu,
                           w + W_DECODER_CONV2_KERNEL_WINOGRAD_TURNED, t->decoder_conv2_dx,
                           t->decoder_conv2_backward_sum, gradient + P_DECODER_CONV2_BIAS,
                           t->decoder_conv2_backward_scratch);
    mark(clock, 9);
    /* cae.lua:19 relu_dx + conv2d_dw 3x3 + bias_add_db + conv2d_dx -> 3x3x128x128 */
    decoder_conv1_backward(t->encoder_pool3, t->decoder_conv2_dx, t->decoder_conv1_relu,
                           w + W_DECODER_CONV1_KERNEL_WINOGRAD_TURNED, t->decoder_conv1_dx,
                           t->decoder_conv1_backward_sum, gradient + P_DECODER_CONV1_BIAS,
                           t->decoder_conv1_backward_scratch);
    mark(clock, 10);
    /* cae.lua:14 relu_dx + max_pool2d_dx + conv2d_dw 3x3 + bias_add_db + conv2d_dx -> 3x3x64x128 */
    encoder_conv3_backward(t->encoder_pool2, t->decoder_conv1_dx, t->encoder_pool3,
                           t->encoder_pool3_argmax, w + W_ENCODER_CONV3_KERNEL_WINOGRAD_TURNED,
                           t->encoder_conv3_dx, t->encoder_conv3_backward_sum,
                           gradient + P_ENCODER_CONV3_BIAS, t->encoder_conv3_backward_scratch);
    mark(clock, 11);
    /* cae.lua:12 relu_dx + max_pool2d_dx + conv2d_dw 3x3 + bias_add_db + conv2d_dx -> 3x3x32x64 */
    encoder_conv2_backward(t->encoder_pool1, t->encoder_conv3_dx, t->encoder_pool2,
                           t->encoder_pool2_argmax, w + W_ENCODER_CONV2_KERNEL_WINOGRAD_TURNED,
                           t->encoder_conv2_dx, t->encoder_conv2_backward_sum,
                           gradient + P_ENCODER_CONV2_BIAS, t->encoder_conv2_backward_scratch);
    mark(clock, 12);
    /* cae.lua:10 relu_dx + max_pool2d_dx + conv2d_dw 3x3 + bias_add_db -> 3x3x3x32 */
    encoder_conv1_dw(image, t->encoder_conv2_dx, t->encoder_pool1, t->encoder_pool1_argmax,
                     t->encoder_conv1_dw_sum, gradient + P_ENCODER_CONV1_BIAS,
                     t->encoder_conv1_dw_scratch);
    mark(clock, 13);
}

static double loss(const void *prepared, const uint8_t *image, void *workspace)
{
    const Train t = train_workspace(workspace);
    return cae_forward(prepared, image, &t, NULL);
}

static void backward_chunk(const void *prepared, const uint8_t *const *images,
                           const uint64_t *noise, int n, float *gradient, double *losses,
                           void *workspace, ModelClock *clock)
{
    const Train t = train_workspace(workspace);
    (void)noise;
    if (clock)
        clock->last = clock->now();
    __builtin_memset(t.decoder_conv3_backward_sum, 0, 36928);
    __builtin_memset(t.decoder_conv2_backward_sum, 0, 1179712);
    __builtin_memset(t.decoder_conv1_backward_sum, 0, 2359360);
    __builtin_memset(t.encoder_conv3_backward_sum, 0, 1179712);
    __builtin_memset(t.encoder_conv2_backward_sum, 0, 294976);
    __builtin_memset(t.encoder_conv1_dw_sum, 0, 13888);
    for (int i = 0; i < n; i++) {
        losses[i] = cae_forward(prepared, images[i], &t, clock);
        cae_backward(prepared, images[i], &t, gradient, clock);
    }
    decoder_conv3_backward_flush(t.decoder_conv3_backward_sum, gradient + P_DECODER_CONV3_KERNEL);
    decoder_conv2_backward_flush(t.decoder_conv2_backward_sum, gradient + P_DECODER_CONV2_KERNEL);
    decoder_conv1_backward_flush(t.decoder_conv1_backward_sum, gradient + P_DECODER_CONV1_KERNEL);
    encoder_conv3_backward_flush(t.encoder_conv3_backward_sum, gradient + P_ENCODER_CONV3_KERNEL);
    encoder_conv2_backward_flush(t.encoder_conv2_backward_sum, gradient + P_ENCODER_CONV2_KERNEL);
    encoder_conv1_dw_flush(t.encoder_conv1_dw_sum, gradient + P_ENCODER_CONV1_KERNEL);
}

/* A workspace for encode, 3547904 bytes. Values whose lives (first to last step) do not meet share
   their place. */
typedef struct Encode {
    float *encoder_pool1;                          /* 112x112x32, steps 0 to 1 */
    float *encoder_conv1_forward_infer_scratch;    /* steps 0 to 0 */
    float *encoder_pool2;                          /* 56x56x64, steps 1 to 2 */
    float *encoder_conv2_forward_infer_scratch;    /* steps 1 to 1 */
    float *encoder_conv3_forward_infer_scratch;    /* steps 2 to 2 */
} Encode;

static Encode encode_workspace(void *workspace, void *scratch)
{
    char *at = workspace, *own = scratch;
    (void)at;
    (void)own;
    return (Encode){
        .encoder_pool1 = (float *)(void *)(at),
        .encoder_conv1_forward_infer_scratch = (float *)(void *)(own + 1605696),
        .encoder_pool2 = (float *)(void *)(at + 2745024),
        .encoder_conv2_forward_infer_scratch = (float *)(void *)(own + 1605696),
        .encoder_conv3_forward_infer_scratch = (float *)(void *)(own),
    };
}

/* A workspace for decode, 2971392 bytes. Values whose lives (first to last step) do not meet share
   their place. */
typedef struct Decode {
    float *decoder_conv1_relu;                     /* 28x28x128, steps 0 to 1 */
    float *decoder_conv1_forward_scratch;          /* steps 0 to 0 */
    float *decoder_conv2_relu;                     /* 56x56x16, steps 1 to 2 */
    float *decoder_conv2_forward_scratch;          /* steps 1 to 1 */
    float *decoder_conv3_relu;                     /* 112x112x3, steps 2 to 3 */
    float *decoder_conv3_forward_scratch;          /* steps 2 to 2 */
} Decode;

static Decode decode_workspace(void *workspace, void *scratch)
{
    char *at = workspace, *own = scratch;
    (void)at;
    (void)own;
    return (Decode){
        .decoder_conv1_relu = (float *)(void *)(at + 2569920),
        .decoder_conv1_forward_scratch = (float *)(void *)(own),
        .decoder_conv2_relu = (float *)(void *)(at + 2034368),
        .decoder_conv2_forward_scratch = (float *)(void *)(own),
        .decoder_conv3_relu = (float *)(void *)(at + 214592),
        .decoder_conv3_forward_scratch = (float *)(void *)(own),
    };
}

static const ModelStep infer_steps[] = {
    { "encoder.conv1", "forward", "conv_thin", 43352064, 0, 0, 0 },
    { "encoder.conv2", "forward", "conv_winograd", 231211008, 0, 0, 0 },
    { "encoder.conv3", "forward", "conv_winograd", 231211008, 0, 0, 0 },
    { "decoder.conv1", "forward", "conv_winograd", 115605504, 0, 0, 0 },
    { "decoder.conv2", "forward", "conv_winograd", 57802752, 0, 0, 0 },
    { "decoder.conv3", "forward", "conv_winograd", 5419008, 0, 0, 0 },
    { "decoder.up3", "forward", "upsample", 0, 0, 0, 0 },
};

/* After each layer all bands of a team wait for each other. */
static inline void meet(const ModelTeam *team)
{
    if (team)
        team->wait(team->barrier);
}

static void encode_by(const void *prepared, const uint8_t *image, float *latent, void *workspace,
    ModelClock *clock,
                      const ModelTeam *team)
{
    const int band = team ? team->band : 0, bands = team ? team->bands : 1;
    const float *w = prepared;
    (void)w;
    const Encode values = encode_workspace((char *)workspace + 401408,
                                        (char *)(team ? team->scratch : workspace) + 401408), *t
                                            = &values;
    if (clock)
        clock->last = clock->now();
    /* cae.lua:10 conv2d 3x3 + bias_add + relu + max_pool2d -> 112x112x32 */
    encoder_conv1_forward_infer(image, w + W_ENCODER_CONV1_KERNEL_COLUMNS, w + W_ENCODER_CONV1_BIAS,
                                t->encoder_pool1, t->encoder_conv1_forward_infer_scratch,
                                56 * band / bands, 56 * (band + 1) / bands);
    mark(clock, 0);
    meet(team);
    /* cae.lua:12 conv2d 3x3 + bias_add + relu + max_pool2d -> 56x56x64 */
    encoder_conv2_forward_infer(t->encoder_pool1, w + W_ENCODER_CONV2_KERNEL_WINOGRAD,
                                w + W_ENCODER_CONV2_BIAS, t->encoder_pool2,
                                t->encoder_conv2_forward_infer_scratch, 28 * band / bands,
                                28 * (band + 1) / bands);
    mark(clock, 1);
    meet(team);
    /* cae.lua:14 conv2d 3x3 + bias_add + relu + max_pool2d -> 28x28x128 */
    encoder_conv3_forward_infer(t->encoder_pool2, w + W_ENCODER_CONV3_KERNEL_WINOGRAD,
                                w + W_ENCODER_CONV3_BIAS, latent,
                                t->encoder_conv3_forward_infer_scratch, 14 * band / bands,
                                14 * (band + 1) / bands);
    mark(clock, 2);
    meet(team);
}

static void encode(const void *prepared, const uint8_t *image, float *latent, void *workspace,
    ModelClock *clock)
{
    encode_by(prepared, image, latent, workspace, clock, NULL);
}

static void encode_band(const void *prepared, const uint8_t *image, float *latent, void *workspace,
    const ModelTeam *team)
{
    encode_by(prepared, image, latent, workspace, NULL, team);
}

static void decode_by(const void *prepared, const float *latent, float *output, void *workspace,
    ModelClock *clock,
                      const ModelTeam *team)
{
    const int band = team ? team->band : 0, bands = team ? team->bands : 1;
    const float *w = prepared;
    (void)w;
    const Decode values = decode_workspace((char *)workspace + 401408,
                                        (char *)(team ? team->scratch : workspace) + 401408), *t
                                            = &values;
    if (clock)
        clock->last = clock->now();
    /* cae.lua:19 conv2d 3x3 + bias_add + relu -> 28x28x128 */
    decoder_conv1_forward(latent, w + W_DECODER_CONV1_KERNEL_WINOGRAD, w + W_DECODER_CONV1_BIAS,
                          t->decoder_conv1_relu, t->decoder_conv1_forward_scratch, 7 * band / bands,
                          7 * (band + 1) / bands);
    mark(clock, 3);
    meet(team);
    /* cae.lua:21 conv2d 3x3 on 2x upsampled + bias_add + relu -> 56x56x16 */
    decoder_conv2_forward(t->decoder_conv1_relu, w + W_DECODER_CONV2_KERNEL_WINOGRAD,
                          w + W_DECODER_CONV2_BIAS, t->decoder_conv2_relu,
                          t->decoder_conv2_forward_scratch, 7 * band / bands,
                          7 * (band + 1) / bands);
    mark(clock, 4);
    meet(team);
    /* cae.lua:23 conv2d 3x3 on 2x upsampled + bias_add + relu -> 112x112x3 */
    decoder_conv3_forward(t->decoder_conv2_relu, w + W_DECODER_CONV3_KERNEL_WINOGRAD,
                          w + W_DECODER_CONV3_BIAS, t->decoder_conv3_relu,
                          t->decoder_conv3_forward_scratch, 14 * band / bands,
                          14 * (band + 1) / bands);
    mark(clock, 5);
    meet(team);
    /* cae.lua:24 upsample2d -> 224x224x3 */
    decoder_up3_forward_infer(t->decoder_conv3_relu, output, 224 * band / bands,
                              224 * (band + 1) / bands);
    mark(clock, 6);
    meet(team);
}

static void decode(const void *prepared, const float *latent, float *output, void *workspace,
    ModelClock *clock)
{
    decode_by(prepared, latent, output, workspace, clock, NULL);
}

static void decode_band(const void *prepared, const float *latent, float *output, void *workspace,
    const ModelTeam *team)
{
    decode_by(prepared, latent, output, workspace, NULL, team);
}

static void reconstruct(const void *prepared, const uint8_t *image, float *output, void *workspace,
    ModelClock *clock)
{
    float *latent = workspace;
    encode(prepared, image, latent, workspace, clock);
    decode(prepared, latent, output, workspace, clock);
}

static void reconstruct_band(const void *prepared, const uint8_t *image, float *output,
                             void *workspace, const ModelTeam *team)
{
    float *latent = workspace;
    encode_band(prepared, image, latent, workspace, team);
    decode_band(prepared, latent, output, workspace, team);
}

const Model caec_model = {
    .name = "cae",
    .graph = "cae.lua",
    .target = "x86-64-v3",
    .version = "0.1.0",
    .fingerprint = "9c693b78eae9a3a1",
    .summary =
        "Model: \"encoder\"\n"
        "________________________________________________________________________________\n"
        " Layer (type)                       Output Shape                Param #\n"
        "================================================================================\n"
        " input                              (None, 224, 224, 3)         0\n"
        " conv1 (conv2d)                     (None, 224, 224, 32)        896\n"
        " pool1 (max_pool2d)                 (None, 112, 112, 32)        0\n"
        " conv2 (conv2d)                     (None, 112, 112, 64)        18496\n"
        " pool2 (max_pool2d)                 (None, 56, 56, 64)          0\n"
        " conv3 (conv2d)                     (None, 56, 56, 128)         73856\n"
        " pool3 (max_pool2d)                 (None, 28, 28, 128)         0\n"
        "================================================================================\n"
        "Total params: 93,248\n"
        "Trainable params: 93,248\n"
        "Non-trainable params: 0\n"
        "________________________________________________________________________________\n"
        "\n"
        "Model: \"decoder\"\n"
        "________________________________________________________________________________\n"
        " Layer (type)                       Output Shape                Param #\n"
        "================================================================================\n"
        " input                              (None, 28, 28, 128)         0\n"
        " conv1 (conv2d)                     (None, 28, 28, 128)         147584\n"
        " up1 (upsample2d)                   (None, 56, 56, 128)         0\n"
        " conv2 (conv2d)                     (None, 56, 56, 16)          18448\n"
        " up2 (upsample2d)                   (None, 112, 112, 16)        0\n"
        " conv3 (conv2d)                     (None, 112, 112, 3)         435\n"
        " up3 (upsample2d)                   (None, 224, 224, 3)         0\n"
        "================================================================================\n"
        "Total params: 166,467\n"
        "Trainable params: 166,467\n"
        "Non-trainable params: 0\n"
        "________________________________________________________________________________\n"
        "\n"
        "cae: 224x224x3 -> 28x28x128 -> 224x224x3, 259,715 parameters\n"
        "",
    .input = { 3, { 224, 224, 3 } },
    .latent = { 3, { 28, 28, 128 } },
    .output = { 3, { 224, 224, 3 } },
    .parameters = parameters,
    .parameter_count = 12,
    .parameter_reals = CAE_PARAMETER_FLOATS,
    .output_kernel = 10,
    .prepared_bytes = CAE_PREPARED_BYTES,
    .infer_bytes = CAE_WORKSPACE_BYTES,
    .train_bytes = CAE_TRAIN_BYTES,
    .forward_macs = 505774080 + 178827264,
    .train_macs = 2010451968,
    .infer_steps = infer_steps,
    .infer_step_count = 7,
    .train_steps = train_steps,
    .train_step_count = 14,
    .training = {
        .loss = "mse",
        .optimizer = { .name = "adam", .lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-07 },
        .schedule = { .name = "constant" },
        .batch = 64, .epochs = 40,
    },
    .supported = cae_supported,
    .prepare = prepare,
    .encode = encode,
    .decode = decode,
    .reconstruct = reconstruct,
    .encode_band = encode_band,
    .decode_band = decode_band,
    .reconstruct_band = reconstruct_band,
    .loss = loss,
    .backward_chunk = backward_chunk,
};
