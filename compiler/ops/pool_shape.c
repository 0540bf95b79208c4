/* The windows of pools, of their by-products and of their gradients. */
#include "ops.h"

int pool_side(const Node *node)
{
    return node_number(node, "size");
}
