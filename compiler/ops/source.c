/* The operators without inputs: the image and the trained tensors. Their shape and type are given
   at birth. */
#include "ops.h"

static void keep_shape(Node *node)
{
    (void)node;
}

const Op op_input = { .name = "input", .shape = keep_shape };
const Op op_parameter = { .name = "parameter", .shape = keep_shape };
