/* The kernels of cae: vectors, and one function for each layer and direction. */
#ifndef CAE_KERNELS_H
#define CAE_KERNELS_H

#include "model.h"

#include <math.h>

/* 8 floats; loose_vec is one at any address. */
typedef float vec __attribute__((vector_size(32)));
typedef float loose_vec __attribute__((vector_size(32), aligned(4), may_alias));

static inline vec load(const float *p)
{
    return *(const loose_vec *)p;
}

static inline void store(float *p, vec v)
{
    *(loose_vec *)p = v;
}

static inline void add(float *p, vec v)
{
    *(loose_vec *)p += v;
}

/* Lanes of all ones where a comparison holds, all zeros elsewhere; and places in pooling windows.
   */
typedef int32_t mask __attribute__((vector_size(32)));

static inline mask above(vec a, vec b)
{
    return a > b;
}

static inline vec pick(mask m, vec yes, vec no)
{
    return (vec)(((mask)yes & m) + ((mask)no & ~m));      /* + where
        | would do: GCC 12 makes one blend of it */
}

/* The larger in each lane. */
static inline vec larger(vec a, vec b)
{
    return pick(above(a, b), a, b);
}

/* Keeps a vector that was loaded in its register: GCC would rather load it again for a second use.
   */
static inline vec in_register(vec v)
{
#if defined __AVX512F__
    __asm__("" : "+v"(v));
#elif defined __x86_64__
    __asm__("" : "+x"(v));
#elif defined __aarch64__
    __asm__("" : "+w"(v));
#endif
    return v;
}

static inline mask pick_place(mask m, int yes, mask no)
{
    return (m & yes) | (no & ~m);
}

/* d in the lanes whose code is the place, 0 elsewhere. */
static inline vec at_place(vec d, mask code, int place)
{
    return (vec)((mask)d & (code == place));
}

/* Integers that hold the places of several windows each. */
static inline mask load_codes(const int32_t *p)
{
    mask codes;
    __builtin_memcpy(&codes, p, sizeof codes);
    return codes;
}

/* Puts n lanes `shift` bits up beside what lies there already; 0 begins anew. */
static inline void store_codes(int32_t *p, mask code, int shift, int n)
{
    mask before = {0};
    if (shift > 0)
        __builtin_memcpy(&before, p, (size_t)n * sizeof *p);
    code = before | code << shift;
    __builtin_memcpy(p, &code, (size_t)n * sizeof *p);
}

/* The first n lanes alone. */
static inline void store_part(float *p, vec v, int n)
{
    __builtin_memcpy(p, &v, (size_t)n * sizeof *p);
}

static inline void add_part(float *p, vec v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] += v[i];
}

void prepare_encoder_conv1_kernel_columns(const float *restrict parameter, float *restrict packing);
void prepare_encoder_conv1_bias(const float *restrict parameter, float *restrict packing);
void prepare_encoder_conv2_kernel_winograd(const float *restrict parameter,
    float *restrict packing);
void prepare_encoder_conv2_bias(const float *restrict parameter, float *restrict packing);
void prepare_encoder_conv3_kernel_winograd(const float *restrict parameter,
    float *restrict packing);
void prepare_encoder_conv3_bias(const float *restrict parameter, float *restrict packing);
void prepare_decoder_conv1_kernel_winograd(const float *restrict parameter,
    float *restrict packing);
void prepare_decoder_conv1_bias(const float *restrict parameter, float *restrict packing);
void prepare_decoder_conv2_kernel_winograd(const float *restrict parameter,
    float *restrict packing);
void prepare_decoder_conv2_bias(const float *restrict parameter, float *restrict packing);
void prepare_decoder_conv3_kernel_winograd(const float *restrict parameter,
    float *restrict packing);
void prepare_decoder_conv3_bias(const float *restrict parameter, float *restrict packing);
void prepare_decoder_conv3_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing);
void prepare_decoder_conv2_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing);
void prepare_decoder_conv1_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing);
void prepare_encoder_conv3_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing);
void prepare_encoder_conv2_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing);

void encoder_conv1_forward(const uint8_t *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, int32_t *restrict codes,
                           float *restrict scratch, int first, int last);
void encoder_conv2_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, int32_t *restrict codes,
                           float *restrict scratch, int first, int last);
void encoder_conv3_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, int32_t *restrict codes,
                           float *restrict scratch, int first, int last);
void decoder_conv1_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last);
void decoder_conv2_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last);
void decoder_conv3_forward(const float *restrict x, const float *restrict w,
                           const float *restrict b, float *restrict y, float *restrict scratch,
                           int first, int last);
void loss_forward(const float *restrict y, const uint8_t *restrict target, double *restrict loss,
                  float *restrict scratch);
void loss_dx(const float *restrict y, const uint8_t *restrict target, float *restrict dy);
void decoder_conv3_backward_flush(const float *restrict sum, float *restrict dw);
void decoder_conv3_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const float *restrict w,
                            float *restrict dx, float *restrict sum, float *restrict db,
                            float *restrict scratch);
void decoder_conv2_backward_flush(const float *restrict sum, float *restrict dw);
void decoder_conv2_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const float *restrict w,
                            float *restrict dx, float *restrict sum, float *restrict db,
                            float *restrict scratch);
void decoder_conv1_backward_flush(const float *restrict sum, float *restrict dw);
void decoder_conv1_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const float *restrict w,
                            float *restrict dx, float *restrict sum, float *restrict db,
                            float *restrict scratch);
void encoder_conv3_backward_flush(const float *restrict sum, float *restrict dw);
void encoder_conv3_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const int32_t *restrict codes,
                            const float *restrict w, float *restrict dx, float *restrict sum,
                            float *restrict db, float *restrict scratch);
void encoder_conv2_backward_flush(const float *restrict sum, float *restrict dw);
void encoder_conv2_backward(const float *restrict x, const float *restrict dy,
                            const float *restrict value, const int32_t *restrict codes,
                            const float *restrict w, float *restrict dx, float *restrict sum,
                            float *restrict db, float *restrict scratch);
void encoder_conv1_dw_flush(const float *restrict sum, float *restrict dw);
void encoder_conv1_dw(const uint8_t *restrict x, const float *restrict dy,
                      const float *restrict value, const int32_t *restrict codes,
                      float *restrict sum, float *restrict db, float *restrict scratch);
void encoder_conv1_forward_infer(const uint8_t *restrict x, const float *restrict w,
                                 const float *restrict b, float *restrict y,
                                 float *restrict scratch, int first, int last);
void encoder_conv2_forward_infer(const float *restrict x, const float *restrict w,
                                 const float *restrict b, float *restrict y,
                                 float *restrict scratch, int first, int last);
void encoder_conv3_forward_infer(const float *restrict x, const float *restrict w,
                                 const float *restrict b, float *restrict y,
                                 float *restrict scratch, int first, int last);
void decoder_up3_forward_infer(const float *restrict x, float *restrict y, int first, int last);

#endif
