/* The operators without inputs: the image and the trained tensors. Their shape and type are given
   at birth. */
#include "ops.h"

static void keep_shape(Node *node)
{
    (void)node;
}

const Op op_input = { .name = "input", .shape = keep_shape };

Node *image_node(Graph *graph, const char *name, Node place)
{
    place.type = TYPE_PIXEL;
    return node_new(graph, &op_input, &place, name, NULL, NULL);
}

const Op op_parameter = { .name = "parameter", .shape = keep_shape, .holds_weights = true };
