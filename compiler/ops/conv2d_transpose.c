/* conv2d_transpose: learned upsampling. What conv2d is to an image, about `stride` times as large,
 * this is backwards: y[r * stride + i * dilation - pad][c * stride + j * dilation - pad][o] is the
 * sum of x[r][c][k] * kernel[i][j][o][k] (kernel HWOI; with groups, o counts within one), which is
 * the dX of that convolution. So its gradient by x is that convolution of dy, and the gradient by
 * the kernel is that convolution's dW with the roles of x and dy exchanged. */
#include "layer.h"

#include "../base/arena.h"

/* The image, before its size is asked whether it is one. */
static void want_size(const Node *node, const ConvShape *s)
{
    const Node *x = node->input[0];
    if (s->in_h > MAX_SIDE || s->in_w > MAX_SIDE)
        fail(node->loc,
             "conv2d_transpose: %s times %s is more than %d along a side; use a smaller stride or "
             "image",
             shape_text(x->shape),
             s->stride_h == s->stride_w ? arena_format("%d", s->stride_h)
                                        : arena_format("%dx%d", s->stride_h, s->stride_w),
             MAX_SIDE);
    if (s->in_h < 1 || s->in_w < 1)
        fail(node->loc,
             "conv2d_transpose: its padding leaves nothing of what %dx%d windows make of %s; use "
             "less padding",
             s->window_h, s->window_w, shape_text(x->shape));
}

static void transpose_shape(Node *node)
{
    want_image(node, node->input[0]);
    ConvShape s = conv_shape(node);
    want_size(node, &s);
    node->shape = shape_hwc(s.in_h, s.in_w, s.ci);
    node->type = TYPE_REAL;
}

static Node *transpose_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    return conv_gradient(graph, node, dy, i ? &op_conv2d_transpose_dw : &op_conv2d_transpose_dx);
}

/* By the stride, where nothing but the whole is made of each row. */
static bool transpose_scale(const Node *node, int axis, int *up, int *down)
{
    ConvShape s = conv_shape(node);
    (void)down;
    *up = axis ? s.stride_w : s.stride_h;
    return node->shape.dim[axis] == node->input[0]->shape.dim[axis] * *up;
}

const Op op_conv2d_transpose = { .name = "conv2d_transpose",
                                 .scale = transpose_scale,
                                 .role = ROLE_CORE,
                                 .arity = 2,
                                 .numbers = { CONV_WINDOW, CONV_PLACE },
                                 .implied = conv_implies,
                                 .shape = transpose_shape,
                                 .gradient = transpose_gradient,
                                 .macs = conv_macs };
const Op op_conv2d_transpose_dx = { .name = "conv2d_transpose_dx",
                                    .arity = 2,
                                    .numbers = { CONV_WINDOW, CONV_PLACE },
                                    .implied = conv_implies,
                                    .shape = conv_gradient_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DX,
                                    .gradient_of = &op_conv2d_transpose };
const Op op_conv2d_transpose_dw = { .name = "conv2d_transpose_dw",
                                    .arity = 2,
                                    .numbers = { CONV_WINDOW, CONV_PLACE },
                                    .implied = conv_implies,
                                    .shape = conv_gradient_shape,
                                    .macs = conv_macs,
                                    .direction = DIRECTION_DW,
                                    .gradient_of = &op_conv2d_transpose };

enum {
    FILTERS,
    KERNEL,
    STRIDE,
    PADDING,
    OUTPUT_PADDING,
    DILATION,
    GROUPS,
    ACTIVATION,
    USE_BIAS,
    TIED
};

/* Keras's sizes where padding has a name, PyTorch's where it is in numbers; -1: no output_padding
   is given. */
static int image_size(const ConvNumbers *n, const Arg *args, int axis, int in)
{
    int stride = n->stride[axis], window = conv_window(n, axis),
        more = args[OUTPUT_PADDING].pair[axis];
    const char *padding = args[PADDING].text;
    const int *pad = args[PADDING].pad;
    if (!padding)
        return (in - 1) * stride + window - pad[axis] - pad[axis + 2] + (more < 0 ? 0 : more);
    if (n->same)
        return more < 0 ? in * stride : (in - 1) * stride + window % 2 + more;
    return (in - 1) * stride + (more >= 0 ? window + more : window > stride ? window : stride);
}

/* What comes out must be something whose convolution gives as many places as there are. */
static void want_output_padding(const ConvNumbers *n, const Arg *args, int axis)
{
    const Arg *more = &args[OUTPUT_PADDING];
    int stride = n->stride[axis], dilation = n->dilation[axis],
        least = n->same && conv_window(n, axis) % 2 == 0 ? 1 : 0,
        most = n->same                                   ? stride - 1 + least
               : args[PADDING].text || stride > dilation ? stride - 1
                                                         : dilation - 1;
    if (more->pair[axis] < 0 || (more->pair[axis] >= least && more->pair[axis] <= most))
        return;
    fail(more->loc,
         "conv2d_transpose: output_padding wants %d up to %d %s, with this stride and kernel, not "
         "%d",
         least, most, axis ? "along the width" : "along the height", more->pair[axis]);
}

static ConvNumbers numbers_of(const Layer *layer, const Arg *args, const Node *x)
{
    const ConvArgs given = { &args[KERNEL], &args[STRIDE], &args[PADDING], &args[DILATION],
                             (int)args[GROUPS].number };
    ConvNumbers n = conv_numbers_of(layer, &given);
    for (int axis = 0; axis < 2; axis++) {
        int in = x->shape.dim[axis], size = image_size(&n, args, axis, in);
        want_output_padding(&n, args, axis);
        if (n.same)
            conv_pad_same(&n, axis, size, in);
        n.pad[axis + 2] = (in - 1) * n.stride[axis] + conv_window(&n, axis) - size - n.pad[axis];
    }
    return n;
}

/* The kernel of a convolution, HWIO, is that of its transpose, HWOI: what one reads the other
   makes. So all of its numbers but the padding are the convolution's. */
static Node *tied_kernel(Layer *layer, const Arg *args, const ConvNumbers *n, const Node *x)
{
    const Node *core = tied_core(layer, &args[TIED], &op_conv2d);
    const ConvShape s = conv_shape(core);
    want_tied_number(layer, &args[GROUPS], "groups", n->groups, s.groups);
    want_tied_number(layer, &args[FILTERS], "filters", (int)args[FILTERS].number, s.ci);
    want_tied_pair(layer, &args[KERNEL], "kernel", n->kernel, (int[]){ s.kernel_h, s.kernel_w });
    want_tied_pair(layer, &args[STRIDE], "stride", n->stride, (int[]){ s.stride_h, s.stride_w });
    want_tied_pair(layer, &args[DILATION], "dilation", n->dilation,
                   (int[]){ s.dilation_h, s.dilation_w });
    want_tied_input(layer, &args[TIED], x, x->shape.dim[2], s.co);
    return core->input[1];
}

static Node *conv2d_transpose_build(Layer *layer, const Arg *args, Node *x)
{
    want_image(&layer->model, x);
    int channels = x->shape.dim[2];
    const Arg *more = &args[OUTPUT_PADDING];
    ConvLayer conv = { .op = &op_conv2d_transpose,
                       .numbers = numbers_of(layer, args, x),
                       .filters = (int)args[FILTERS].number,
                       .activation = args[ACTIVATION].text,
                       .use_bias = args[USE_BIAS].number != 0 };
    conv.padding = arena_format("%s%s", conv_padding_text(&args[PADDING]),
                                conv_pair_text("output padding", more->pair, -1));
    want_groups(layer, &args[GROUPS], channels, conv.filters);
    if (args[TIED].ref_count)
        conv.kernel = tied_kernel(layer, args, &conv.numbers, x);
    conv.in = conv.filters / conv.numbers.groups;
    conv.out = channels;
    return conv_layer(layer, &conv, x);
}

const LayerSpec layer_conv2d_transpose = {
    "conv2d_transpose",
    "deconv",
    "transposed convolution: learned upsampling",
    {
        { "filters", ARG_INT, .required = true, .min = 1, .max = 1 << 16 },
        { "kernel", ARG_PAIR, .required = true, .min = 1, .max = 255 },
        { "stride", ARG_PAIR, .number = 2, .min = 1, .max = 255 },
        { "padding", ARG_PADDING, .text = "same", .choices = padding_names, .min = 0, .max = 255 },
        { "output_padding", ARG_PAIR, .number = -1, .min = 0, .max = 255, .text = "none" },
        { "dilation", ARG_PAIR, .number = 1, .min = 1, .max = 255 },
        { "groups", ARG_INT, .number = 1, .min = 1, .max = 1 << 16 },
        { "activation", ARG_CHOICE, .text = "linear", .choices = activation_names },
        { "use_bias", ARG_BOOL, .number = 1 },
        TIED_ARG,
    },
    conv2d_transpose_build,
};
