/* gaussian_sample: a normal number of each mean m and log-variance v, m + exp(v / 2) e, e drawn
 * from the standard normal distribution (Kingma and Welling 2014, "Auto-encoding variational
 * Bayes", section 2.4). Of its input the first half of channels or units are means, the second
 * log-variances. What it draws is found as noise.c says; where none is drawn, and in inference, its
 * value is the mean.
 *
 * Its term of the loss is the Kullback-Leibler divergence from the standard normal distribution,
 * (m^2 + exp(v) - v - 1) / 2 summed (appendix B there), divided by the numbers of an image, so that
 * it stands beside losses that are means over them. While it warms up (Bowman et al. 2016,
 * "Generating sentences from a continuous space", section 3.1) its gradient is a share of itself,
 * and the term stays whole: losses of all epochs compare. The share is a parameter that rests, 1
 * until a trainer changes it (Parameter.warmup). */
#include "layer.h"

#include "../base/arena.h"

#define KL_NUMBERS "weight", "numbers"

/* Half the channels of input 0. */
static void half_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->shape.dim[node->shape.rank - 1] /= 2;
    node->type = TYPE_REAL;
}

static void dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static void kl_shape(Node *node)
{
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

static Node *sample_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)i;
    return node_new(graph, &op_gaussian_sample_dx, node, arena_format("%s.dx", node->name),
                    (Node *[]){ node->input[0], dy }, node->number);
}

static Node *sample_inference(Graph *graph, const Node *node, Node *const *inputs)
{
    return node_new(graph, &op_gaussian_mean, node, arena_format("%s.infer", node->name), inputs,
                    NULL);
}

static Node *kl_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    if (i != 0)
        bug("%s: the share of its gradient is asked for one", node->name);
    if (node_real(node, "weight") == 0)
        return NULL;
    return node_new(graph, node->op == &op_kl ? &op_kl_dx : &op_kl_share_dx, node,
                    arena_format("%s.dx", node->name), node->input, node->number);
}

const Op op_gaussian_sample = { .name = "gaussian_sample",
                                .arity = 1,
                                .numbers = { "stream" },
                                .shape = half_shape,
                                .gradient = sample_gradient,
                                .inference = sample_inference,
                                .draws = true,
                                .normal = true,
                                .calls_math = true };
const Op op_gaussian_sample_dx = { .name = "gaussian_sample_dx",
                                   .arity = 2,
                                   .numbers = { "stream" },
                                   .shape = dx_shape,
                                   .direction = DIRECTION_DX,
                                   .gradient_of = &op_gaussian_sample,
                                   .calls_math = true };
const Op op_gaussian_mean = {
    .name = "gaussian_mean", .arity = 1, .shape = half_shape, .normal = true
};
const Op op_kl = { .name = "kl",
                   .arity = 1,
                   .numbers = { KL_NUMBERS },
                   .implied = loss_implies,
                   .loss = "kl",
                   .shape = kl_shape,
                   .gradient = kl_gradient,
                   .calls_math = true };
const Op op_kl_dx = { .name = "kl_dx",
                      .arity = 1,
                      .numbers = { KL_NUMBERS },
                      .implied = loss_implies,
                      .loss = "kl",
                      .shape = dx_shape,
                      .direction = DIRECTION_DX,
                      .gradient_of = &op_kl,
                      .calls_math = true };
/* With the share as their second input. */
const Op op_kl_share = { .name = "kl_share",
                         .arity = 2,
                         .numbers = { KL_NUMBERS },
                         .implied = loss_implies,
                         .loss = "kl",
                         .shape = kl_shape,
                         .gradient = kl_gradient,
                         .optional_inputs = 1u << 1,
                         .calls_math = true };
const Op op_kl_share_dx = { .name = "kl_share_dx",
                            .arity = 2,
                            .numbers = { KL_NUMBERS },
                            .implied = loss_implies,
                            .loss = "kl",
                            .shape = dx_shape,
                            .direction = DIRECTION_DX,
                            .gradient_of = &op_kl_share,
                            .calls_math = true };

/* ---- the word ---- */

enum { KL_WEIGHT, WARMUP };

static void add_kl(Layer *layer, const Arg *args, Node *x)
{
    const double numbers[] = { args[KL_WEIGHT].number,
                               (double)shape_count(layer->graph->input->shape) };
    const double warmup = args[WARMUP].number;
    Node *share = NULL;
    if (warmup > 0 && numbers[0] > 0) {
        share = layer_statistic(layer, "kl_share", (Shape){ 1, { 1 } }, 1);
        layer->graph->parameters[layer->graph->parameter_count - 1].warmup = warmup;
    }
    graph_add_term(layer->graph,
                   layer_node(layer, share ? &op_kl_share : &op_kl, "kl", x, share, numbers));
}

static Node *gaussian_sample_build(Layer *layer, const Arg *args, Node *x)
{
    const int channels = x->shape.dim[x->shape.rank - 1];
    if (channels % 2 != 0)
        fail(
            layer->model.loc,
            "gaussian_sample: the first half of what comes in are means, the second log-variances, "
            "but %s gives %d %s; give it an even number",
            x->layer, channels, x->shape.rank == 1 ? "units" : "channels");
    x = layer_reals(layer, x);
    add_kl(layer, args, x);
    layer->detail = "mean and log-variance, drawn in training";
    return layer_node(layer, &op_gaussian_sample, "", x, NULL,
                      (double[]){ next_stream(layer->graph) });
}

const LayerSpec layer_gaussian_sample = {
    "gaussian_sample",
    "sample",
    "a normal number of a mean and a log-variance; in inference the mean",
    {
        { "kl_weight", ARG_REAL, .number = 1, .min = 0, .max = 1e6 },
        { "warmup", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
    },
    gaussian_sample_build,
};
