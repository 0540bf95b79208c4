/* What a batch_norm by its moving statistics makes of the product with a kernel before it. With s =
 * gamma / sqrt(variance + eps), a number a channel, (x K + b - mean) s + beta is x (K s) plus (b -
 * mean) s + beta: a product with another kernel, scaled_kernel, and another bias, scaled_bias, or
 * scaled_offset where there was no bias. They are of parameters alone, so no step computes them:
 * they are made with the packings of weights, each by a kind of its own. */
#include "layer.h"

#include "../base/arena.h"

#include <string.h>

static void shape_of_first(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

/* A number with the output channel of kernel value i: i % last / shared * filters + i / last %
   filters; in all but what is transposed that is i % last. */
const Op op_scaled_kernel = { .name = "scaled_kernel",
                              .arity = 3,
                              .numbers = { "eps", "last", "shared", "filters" },
                              .shape = shape_of_first,
                              .prepared = "by_channel" };
const Op op_scaled_bias = { .name = "scaled_bias",
                            .arity = 5,
                            .numbers = { "eps" },
                            .shape = shape_of_first,
                            .prepared = "bias_by_channel" };
const Op op_scaled_offset = { .name = "scaled_offset",
                              .arity = 4,
                              .numbers = { "eps" },
                              .shape = shape_of_first,
                              .prepared = "offset_by_channel" };

/* The node that is there already, of another copy of the layer, or a new one. */
static Node *find_or_make(Graph *graph, const Op *op, const Node *of, Node *const *inputs,
                          const double *numbers)
{
    for (int i = graph->count - 1; i >= 0; i--) {
        Node *node = graph->nodes[i];
        if (node->op == op && memcmp(node->input, inputs, sizeof *inputs * (size_t)op->arity) == 0
            && node->number[0] == numbers[0])
            return node;
    }
    Node *node = node_new(graph, op, of, arena_format("%s.%s", of->layer, op->name), inputs,
                          numbers);
    node->infer = true;
    return node;
}

static Node *scaled_kernel(Graph *graph, const Node *norm, const Node *core)
{
    Node *kernel = core->input[1];
    const int last = kernel->shape.dim[kernel->shape.rank - 1];
    const bool turned = core->op == &op_dense_transpose,
               transposed = conv_is(core) && conv_is_transpose(core);
    const double shared = turned       ? last
                          : transposed ? last / node_number(core, "groups")
                                       : 1,
                 filters = turned       ? kernel->shape.dim[0]
                           : transposed ? kernel->shape.dim[2]
                                        : 1,
                 channels = conv_is(core) && conv_is_depthwise(core) ? last * kernel->shape.dim[2]
                                                                     : last;
    return find_or_make(graph, &op_scaled_kernel, norm,
                        (Node *[]){ kernel, norm->input[1], norm->input[4] },
                        (double[]){ norm->number[0], channels, shared, filters });
}

static Node *scaled_sum(Graph *graph, const Node *norm, const Node *bias)
{
    Node *const *p = norm->input;
    if (bias)
        return find_or_make(graph, &op_scaled_bias, norm,
                            (Node *[]){ bias->input[1], p[2], p[1], p[3], p[4] }, norm->number);
    return find_or_make(graph, &op_scaled_offset, norm, (Node *[]){ p[2], p[1], p[3], p[4] },
                        norm->number);
}

Node *batch_norm_taken_in(Graph *graph, const Node *norm, const Node *core, const Node *bias,
                          Node *x)
{
    Node *kernel = scaled_kernel(graph, norm, core), *sum = scaled_sum(graph, norm, bias);
    Node *product = node_new(graph, core->op, core, core->name, (Node *[]){ x, kernel },
                             core->number);
    product->infer = true;
    product->stage = norm->stage;
    Node *made = node_new(graph, &op_bias_add, norm, norm->name, (Node *[]){ product, sum }, NULL);
    made->infer = true;
    made->stage = norm->stage;
    return made;
}
