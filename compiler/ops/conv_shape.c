/* The shapes of convolutions, transposed and depthwise ones and the gradients of all: one sum over
   windows, seen from its image (in) and from its windows' places (out). */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

bool conv_is_transpose(const Node *node)
{
    return node->op == &op_conv2d_transpose || node->op == &op_conv2d_transpose_dx
           || node->op == &op_conv2d_transpose_dw;
}

bool conv_is_depthwise(const Node *node)
{
    return node->op == &op_depthwise_conv2d || node->op == &op_depthwise_conv2d_dx
           || node->op == &op_depthwise_conv2d_dw;
}

static bool repeats_pixels(const Op *op)
{
    return op == &op_conv2d || op == &op_conv2d_dx || op == &op_conv2d_dw;
}

static int span(int kernel, int dilation)
{
    return (kernel - 1) * dilation + 1;
}

static ConvShape shape_of_numbers(const Node *node)
{
    bool repeats = repeats_pixels(node->op);
    ConvShape s = { .up_h = repeats ? node_number(node, "up_h") : 1,
                    .up_w = repeats ? node_number(node, "up_w") : 1,
                    .kernel_h = node_number(node, "kernel_h"),
                    .kernel_w = node_number(node, "kernel_w"),
                    .stride_h = node_number(node, "stride_h"),
                    .stride_w = node_number(node, "stride_w"),
                    .dilation_h = node_number(node, "dilation_h"),
                    .dilation_w = node_number(node, "dilation_w"),
                    .pad_top = node_number(node, "pad_top"),
                    .pad_left = node_number(node, "pad_left"),
                    .groups = node_number(node, "groups") };
    s.window_h = span(s.kernel_h, s.dilation_h);
    s.window_w = span(s.kernel_w, s.dilation_w);
    return s;
}

static void set_in(ConvShape *s, const Node *node)
{
    const int *d = node->shape.dim;
    s->in_h = d[0];
    s->in_w = d[1];
    s->ci = d[2];
}

static void set_out(ConvShape *s, const Node *node)
{
    const int *d = node->shape.dim;
    s->out_h = d[0];
    s->out_w = d[1];
    s->co = d[2];
}

static int pads(const Node *node, const char *before, const char *after)
{
    return node_number(node, before) + node_number(node, after);
}

/* Weights of a tap: each output's channels of its group. */
static int weights_of_tap(const ConvShape *s, const Node *kernel)
{
    return (int)(shape_count(kernel->shape) / (s->kernel_h * s->kernel_w));
}

/* Of what is computed without the image: its size. */
static void derive_in(ConvShape *s, const Node *node, const Node *kernel)
{
    s->ci = weights_of_tap(s, kernel) / s->co * s->groups;
    s->in_h = (s->out_h - 1) * s->stride_h + s->window_h - pads(node, "pad_top", "pad_bottom");
    s->in_w = (s->out_w - 1) * s->stride_w + s->window_w - pads(node, "pad_left", "pad_right");
}

static void derive_out(ConvShape *s, const Node *node, const Node *kernel)
{
    int rows = s->in_h * s->up_h + pads(node, "pad_top", "pad_bottom") - s->window_h,
        columns = s->in_w * s->up_w + pads(node, "pad_left", "pad_right") - s->window_w;
    s->co = weights_of_tap(s, kernel) / (s->ci / s->groups);
    s->out_h = rows < 0 ? 0 : rows / s->stride_h + 1;
    s->out_w = columns < 0 ? 0 : columns / s->stride_w + 1;
}

ConvShape conv_shape(const Node *node)
{
    ConvShape s = shape_of_numbers(node);
    const Node *a = node->input[0], *b = node->input[1];
    bool transpose = conv_is_transpose(node);
    if (conv_is_dw(node)) {
        set_in(&s, transpose ? b : a);
        set_out(&s, transpose ? a : b);
    } else if (conv_scatters(node)) {
        set_out(&s, a);
        derive_in(&s, node, b);
        if (!transpose) {
            s.in_h = node_number(node, "height");
            s.in_w = node_number(node, "width");
        }
    } else {
        set_in(&s, a);
        derive_out(&s, node, b);
    }
    return s;
}

bool conv_is(const Node *node)
{
    return repeats_pixels(node->op) || conv_is_transpose(node) || conv_is_depthwise(node);
}

bool conv_scatters(const Node *node)
{
    return node->op == &op_conv2d_dx || node->op == &op_conv2d_transpose
           || node->op == &op_depthwise_conv2d_dx;
}

bool conv_is_dw(const Node *node)
{
    return node->op->direction == DIRECTION_DW;
}

static Shape kernel_shape(const Node *node, const ConvShape *s)
{
    if (conv_is_depthwise(node))
        return (Shape){ 4, { s->kernel_h, s->kernel_w, s->ci, s->co / s->ci } };
    return (Shape){ 4, { s->kernel_h, s->kernel_w, s->ci / s->groups, s->co } };
}

void conv_gradient_shape(Node *node)
{
    ConvShape s = conv_shape(node);
    node->shape = conv_is_dw(node)      ? kernel_shape(node, &s)
                  : conv_scatters(node) ? shape_hwc(s.in_h, s.in_w, s.ci)
                                        : shape_hwc(s.out_h, s.out_w, s.co);
    node->type = TYPE_REAL;
}

static const char *zeros_text(const Node *node)
{
    bool none = true;
    for (int i = 0; node->op->numbers[i]; i++)
        none = none && (strncmp(node->op->numbers[i], "pad_", 4) != 0 || node->number[i] == 0);
    return none ? " with padding \"valid\"" : "";
}

static void want_fitting(const Node *node, const ConvShape *s)
{
    bool dilated = s->dilation_h > 1 || s->dilation_w > 1;
    int height = s->in_h * s->up_h + pads(node, "pad_top", "pad_bottom"),
        width = s->in_w * s->up_w + pads(node, "pad_left", "pad_right");
    if (s->out_h > 0 && s->out_w > 0)
        return;
    fail(node->loc,
         "%s: a %dx%d kernel%s%s does not fit into %dx%d%s; use padding = \"same\" or a smaller %s",
         node->word, s->kernel_h, s->kernel_w,
         dilated ? arena_format(", which spans %dx%d,", s->window_h, s->window_w) : "",
         zeros_text(node), height, width, *zeros_text(node) ? "" : ", padding included",
         dilated ? "kernel or dilation" : "kernel");
}

void conv_gathered_shape(Node *node)
{
    want_image(node, node->input[0]);
    ConvShape s = conv_shape(node);
    want_fitting(node, &s);
    node->shape = shape_hwc(s.out_h, s.out_w, s.co);
    node->type = TYPE_REAL;
}

Node *conv_gradient(Graph *graph, Node *node, Node *dy, const Op *op)
{
    Node *x = node->input[0];
    double numbers[MAX_NUMBERS];
    int count = 0;
    if (op->direction == DIRECTION_DW)
        return node_new(graph, op, node, arena_format("%s.dw", node->name), (Node *[]){ x, dy },
                        node->number);
    memcpy(numbers, node->number, sizeof numbers);
    while (node->op->numbers[count])
        count++;
    for (int i = 0; op->numbers[count + i]; i++)
        numbers[count + i] = x->shape.dim[i];
    return node_new(graph, op, node, arena_format("%s.dx", node->name),
                    (Node *[]){ dy, node->input[1] }, numbers);
}

bool conv_scale(const Node *node, int axis, int *up, int *down)
{
    ConvShape s = conv_shape(node);
    int window = axis ? s.window_w : s.window_h, stride = axis ? s.stride_w : s.stride_h,
        zeros = axis ? pads(node, "pad_left", "pad_right") : pads(node, "pad_top", "pad_bottom");
    (void)up;
    *down = stride;
    return zeros >= window - stride && zeros < window;
}

double conv_macs(const Node *node)
{
    ConvShape s = conv_shape(node);
    return (double)s.out_h * s.out_w * s.co * s.kernel_h * s.kernel_w * s.ci / s.groups;
}

const double *conv_numbers(const Op *op, const ConvNumbers *n)
{
    const int before[] = { n->kernel[0], n->kernel[1], n->stride[0], n->stride[1], n->same },
              after[] = { n->dilation[0], n->dilation[1], n->pad[0], n->pad[1],
                          n->pad[2],      n->pad[3],      n->groups };
    double *numbers = ARENA_ARRAY(double, MAX_NUMBERS);
    int count = 0;
    for (int i = 0; i < 5; i++)
        numbers[count++] = before[i];
    for (int i = 0; i < 2 && op == &op_conv2d; i++)
        numbers[count++] = 1;
    for (int i = 0; i < 7; i++)
        numbers[count++] = after[i];
    return numbers;
}

bool conv_implies(const Node *node, int i)
{
    const char *name = node->op->numbers[i];
    if (strncmp(name, "pad_", 4) == 0)
        return node_number(node, "same") || node->number[i] == 0;
    if (strcmp(name, "same") == 0)
        return conv_is_transpose(node) && node->number[i] == 1;
    return (strncmp(name, "dilation_", 9) == 0 || strcmp(name, "groups") == 0)
           && node->number[i] == 1;
}

int conv_window(const ConvNumbers *numbers, int axis)
{
    return span(numbers->kernel[axis], numbers->dilation[axis]);
}

void conv_pad_same(ConvNumbers *numbers, int axis, int in, int out)
{
    int total = (out - 1) * numbers->stride[axis] + conv_window(numbers, axis) - in;
    numbers->pad[axis] = total > 0 ? total / 2 : 0;
    numbers->pad[axis + 2] = total > 0 ? total - numbers->pad[axis] : 0;
}
