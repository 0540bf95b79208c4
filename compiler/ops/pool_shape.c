/* The windows of pools, of the places of maxima and of the gradients of both: where they lie, and
 * what a user may ask for.
 *
 * Along an axis window t begins at t * stride - before, where `before` counts what is padded there.
 * What is padded is no part of the image: only pixels count, and each window has one. */
#include "layer.h"

#include "../base/arena.h"
#include "../base/text.h"

PoolAxis pool_axis(const Node *node, int axis)
{
    static const char *const names[][4] = { { "size_h", "stride_h", "pad_top", "pad_bottom" },
                                            { "size_w", "stride_w", "pad_left", "pad_right" } };
    const char *const *name = names[axis];
    return (PoolAxis){ node_number(node, name[0]), node_number(node, name[1]),
                       node_number(node, name[2]), node_number(node, name[3]) };
}

bool pool_is_tiled(const Node *node)
{
    bool tiled = true;
    for (int axis = 0; axis < AXES; axis++) {
        PoolAxis a = pool_axis(node, axis);
        tiled = tiled && a.stride == a.size && !a.before && !a.after;
    }
    return tiled;
}

bool pool_is_plain(const Node *node)
{
    return pool_is_tiled(node) && pool_axis(node, 0).size == pool_axis(node, 1).size;
}

int pool_side(const Node *node)
{
    if (!pool_is_plain(node))
        bug("%s: its windows have no side", node->name);
    return pool_axis(node, 0).size;
}

bool pool_overlaps(const Node *pool)
{
    bool overlaps = false;
    for (int axis = 0; axis < AXES; axis++) {
        PoolAxis a = pool_axis(pool, axis);
        overlaps = overlaps || (a.stride < a.size && pool->shape.dim[axis] > 1);
    }
    return overlaps;
}

/* A stride that is the size; no padding. */
bool pool_implies(const Node *node, int i)
{
    enum { STRIDE_H = 2, PADDING_FROM = 4, PADDING_END = 8 };
    if (i >= STRIDE_H && i < PADDING_FROM)
        return node->number[i] == node->number[i - STRIDE_H];
    return i >= PADDING_FROM && i < PADDING_END && node->number[i] == 0;
}

Shape pool_shape(const Node *node)
{
    Shape shape = node->input[0]->shape;
    for (int axis = 0; axis < AXES; axis++) {
        PoolAxis a = pool_axis(node, axis);
        shape.dim[axis] = (shape.dim[axis] + a.before + a.after - a.size) / a.stride + 1;
    }
    return shape;
}

Node *pool_gradient(Graph *graph, const Node *node, const Op *op, Node *const *inputs)
{
    return node_new(graph, op, node, arena_format("%s.dx", node->name), inputs,
                    numbers_with_size(node));
}

void pool_dx_shape(Node *node)
{
    const Node *dy = node->input[node->op->arity - 1];
    node->shape = shape_hwc(node_number(node, "height"), node_number(node, "width"),
                            dy->shape.dim[2]);
    node->type = TYPE_REAL;
}

/* Where the stride divides the input and padding lets windows reach just beyond it, or end before
   it by less than a stride, there are as many windows as strides. */
bool pool_scale(const Node *node, int axis, int *up, int *down)
{
    (void)up;
    PoolAxis a = pool_axis(node, axis);
    int beyond = a.size - a.before - a.after;
    *down = a.stride;
    return beyond > 0 && beyond <= a.stride;
}

/* ---- the words ---- */

enum { SIZE, STRIDE, PADDING };

/* As TensorFlow pads: ceil(in / stride) windows, the odd row or column after. */
static void pad_same(int in, PoolAxis *a)
{
    int windows = (in + a->stride - 1) / a->stride, wanted = (windows - 1) * a->stride + a->size;
    int all = wanted > in ? wanted - in : 0;
    a->before = all / 2;
    a->after = all - a->before;
}

static PoolAxis axis_of(const Arg *args, int axis, int in)
{
    const Arg *padding = &args[PADDING];
    PoolAxis a = { .size = args[SIZE].pair[axis], .stride = args[STRIDE].pair[axis] };
    a.stride = a.stride ? a.stride : a.size; /* 0: left out */
    if (!padding->text) {
        a.before = padding->pad[axis];
        a.after = padding->pad[AXES + axis];
    } else if (padding->text[0] == 's') {
        pad_same(in, &a);
    }
    return a;
}

static void check_padding(const Layer *layer, const Arg *args, int axis, const PoolAxis *a)
{
    const char *const lines[] = { "rows", "columns" };
    int most = a->before > a->after ? a->before : a->after;
    if (most >= a->size)
        fail(args[PADDING].loc,
             "%s: with %d %s of padding on one side a window of %d %s can lie on padding alone; "
             "use at most %d there, or a larger size",
             layer->model.word, most, lines[axis], a->size, lines[axis], a->size - 1);
}

/* "use size <= 8" */
static void check_fits(const Layer *layer, const Node *x, const PoolAxis *axes)
{
    const int *in = x->shape.dim;
    const int high = in[0] + axes[0].before + axes[0].after,
              wide = in[1] + axes[1].before + axes[1].after, least = high < wide ? high : wide;
    bool square = axes[0].size == axes[1].size;
    if (axes[0].size > high || axes[1].size > wide)
        fail(layer->model.loc,
             "%s: a window of %dx%d does not fit into %s%s; use size <= %s or a "
             "larger input",
             layer->model.word, axes[0].size, axes[1].size, shape_text(x->shape),
             high > in[0] || wide > in[1] ? arena_format(" padded to %dx%d", high, wide) : "",
             square ? arena_format("%d", least) : arena_format("{ %d, %d }", high, wide));
}

/* "3x3, stride 2, padding 1 1 1 1" */
static const char *detail(const Arg *args, const PoolAxis *a)
{
    Text text = { 0 };
    const Arg *padding = &args[PADDING];
    text_add(&text, "%dx%d", a[0].size, a[1].size);
    if (a[0].stride != a[0].size || a[1].stride != a[1].size)
        text_add(&text, a[0].stride == a[1].stride ? ", stride %d" : ", stride %dx%d", a[0].stride,
                 a[1].stride);
    if (!padding->text)
        text_add(&text, ", padding %d %d %d %d", a[0].before, a[1].before, a[0].after, a[1].after);
    else if (padding->text[0] == 's')
        text_add(&text, ", same");
    return text.data;
}

Node *layer_pool(Layer *layer, const Op *op, const Arg *args, Node *x)
{
    PoolAxis a[AXES];
    want_image(&layer->model, x);
    for (int axis = 0; axis < AXES; axis++) {
        a[axis] = axis_of(args, axis, x->shape.dim[axis]);
        check_padding(layer, args, axis, &a[axis]);
    }
    check_fits(layer, x, a);
    layer->detail = detail(args, a);
    return layer_node(layer, op, "", layer_reals(layer, x), NULL,
                      (double[]){ a[0].size, a[1].size, a[0].stride, a[1].stride, a[0].before,
                                  a[1].before, a[0].after, a[1].after });
}
