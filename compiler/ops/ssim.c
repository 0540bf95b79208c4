/* ssim: 1 less the structural similarity of output and target, the mean over all windows of 11x11
 * values that lie inside one channel and over the channels (Wang, Bovik, Sheikh and Simoncelli
 * 2004, "Image quality assessment: from error visibility to structural similarity"; the formula and
 * the numbers are those of tf.image.ssim with max_val 1). A window's values have the weights of a
 * Gaussian of deviation 1.5, sum 1. With its means m and n of y and t, and of y t and y^2 + t^2,
 *
 *     (2 m n + c1) / (m^2 + n^2 + c1)
 *         * (2 (mean y t - m n) + c2) / (mean (y^2 + t^2) - m^2 - n^2 + c2)
 *
 * with c1 = 0.01^2 and c2 = 0.03^2. */
#include "layer.h"

#include "../base/arena.h"

enum { WINDOW = 11 };

static void ssim_shape(Node *node)
{
    const Shape y = node->input[0]->shape;
    if (y.rank != 3 || y.dim[0] < WINDOW || y.dim[1] < WINDOW)
        fail(node->loc,
             "ssim: wants images of at least %dx%d pixels, since it compares windows of that size, "
             "but these are %s; take another loss, such as \"mse\", or larger images",
             WINDOW, WINDOW, shape_text(y));
    if (!shape_equal(y, node->input[1]->shape))
        bug("%s: %s against %s", node->name, shape_text(y), shape_text(node->input[1]->shape));
    node->shape = (Shape){ 0 };
    node->type = TYPE_REAL;
}

static void ssim_dx_shape(Node *node)
{
    node->shape = node->input[0]->shape;
    node->type = TYPE_REAL;
}

static Node *ssim_gradient(Graph *graph, Node *node, Node *dy, int i)
{
    (void)dy; /* the loss itself: 1 */
    return i == 0 ? node_new(graph, &op_ssim_dx, node, arena_format("%s.dx", node->name),
                             node->input, node->number)
                  : NULL;
}

const Op op_ssim = { .name = "ssim",
                     .arity = 2,
                     .numbers = { "weight" },
                     .implied = loss_implies,
                     .loss = "ssim",
                     .shape = ssim_shape,
                     .gradient = ssim_gradient };
const Op op_ssim_dx = { .name = "ssim_dx",
                        .arity = 2,
                        .numbers = { "weight" },
                        .implied = loss_implies,
                        .loss = "ssim",
                        .shape = ssim_dx_shape,
                        .direction = DIRECTION_DX,
                        .gradient_of = &op_ssim };

static Node *ssim_build(Layer *layer, const LossTerm *term, Node *output, Node *target)
{
    return layer_node(layer, &op_ssim, "", output, target, &term->weight);
}

const LossSpec loss_ssim = { "ssim", "1 less the structural similarity, in windows of 11x11",
                             ssim_build, .wants_unit_range = true };
