/* The shapes of convolutions, transposed ones and the gradients of both: one sum over windows, seen
   from its image (in) and from its windows' places (out). */
#include "ops.h"

typedef struct Numbers {
    int kernel, stride, same, up;
} Numbers;

static int pad_before(int in, int out, int kernel, int stride, int same)
{
    int total = (out - 1) * stride + kernel - in;
    return same && total > 0 ? total / 2 : 0;
}

static int outputs(int in, int kernel, int stride, int same)
{
    return same ? (in + stride - 1) / stride : (in - kernel) / stride + 1;
}

static ConvShape shape_from(int in_h, int in_w, int ci, int co, Numbers n)
{
    ConvShape s = { .in_h = in_h,
                    .in_w = in_w,
                    .ci = ci,
                    .co = co,
                    .up = n.up,
                    .kernel = n.kernel,
                    .stride = n.stride };
    s.out_h = outputs(in_h * s.up, s.kernel, s.stride, n.same);
    s.out_w = outputs(in_w * s.up, s.kernel, s.stride, n.same);
    s.pad_top = pad_before(in_h * s.up, s.out_h, s.kernel, s.stride, n.same);
    s.pad_left = pad_before(in_w * s.up, s.out_w, s.kernel, s.stride, n.same);
    return s;
}

bool conv_is_transpose(const Node *node)
{
    return node->op == &op_conv2d_transpose || node->op == &op_conv2d_transpose_dx
           || node->op == &op_conv2d_transpose_dw;
}

static ConvShape transpose_shape(const Node *node)
{
    Numbers n = { node_number(node, "kernel"), node_number(node, "stride"), .same = 1, .up = 1 };
    const int *a = node->input[0]->shape.dim, *b = node->input[1]->shape.dim;
    if (node->op == &op_conv2d_transpose)
        return shape_from(a[0] * n.stride, a[1] * n.stride, b[2], b[3], n);
    if (node->op == &op_conv2d_transpose_dx)
        return shape_from(a[0], a[1], b[2], b[3], n);
    return shape_from(b[0], b[1], b[2], a[2], n);
}

ConvShape conv_shape(const Node *node)
{
    if (conv_is_transpose(node))
        return transpose_shape(node);
    Numbers n = { node_number(node, "kernel"), node_number(node, "stride"),
                  node_number(node, "same"), node_number(node, "up") };
    if (node->op == &op_conv2d_dx) {
        const int *kernel = node->input[1]->shape.dim;
        return shape_from(node_number(node, "height"), node_number(node, "width"), kernel[2],
                          kernel[3], n);
    }
    const int *x = node->input[0]->shape.dim;
    int co = node->op == &op_conv2d ? node->input[1]->shape.dim[3] : node->input[1]->shape.dim[2];
    return shape_from(x[0], x[1], x[2], co, n);
}

bool conv_is(const Node *node)
{
    return node->op == &op_conv2d || node->op == &op_conv2d_dx || node->op == &op_conv2d_dw
           || conv_is_transpose(node);
}

bool conv_scatters(const Node *node)
{
    return node->op == &op_conv2d_dx || node->op == &op_conv2d_transpose;
}

bool conv_is_dw(const Node *node)
{
    return node->op == &op_conv2d_dw || node->op == &op_conv2d_transpose_dw;
}
