/* from: goes on from the output of another layer. It brings no operator: the value is the other
   layer's. */
#include "ops.h"

static Node *from_build(Layer *layer, const Arg *args, Node *x)
{
    (void)x;
    layer->leaves = true;
    return args[0].refs[0].node;
}

const LayerSpec layer_from = {
    "from",
    "from",
    "goes on from the output of another layer",
    { { "layer", ARG_LAYER, .required = true } },
    from_build,
};
