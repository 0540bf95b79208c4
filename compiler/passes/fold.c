#include "passes.h"

#include "../ops/ops.h"

#include <string.h>

/* Which of the operator's numbers is called so; -1: none. */
static int number_called(const Op *op, const char *name)
{
    for (int i = 0; op->numbers[i]; i++)
        if (strcmp(op->numbers[i], name) == 0)
            return i;
    return -1;
}

/* Takes the upsampling in that the node reads: by the number "up", or one of each axis. Whether it
   could. */
static bool take_in(Node *node)
{
    const char *const names[] = { "up", "up_h", "up_w" };
    const Node *upsample = node->input[0];
    double size = node_real(upsample, "size");
    bool takes = false;
    for (int i = 0; i < 3; i++) {
        int up = number_called(node->op, names[i]);
        if (up >= 0 && node->number[up] * size > MAX_UP)
            return false;
        takes = takes || up >= 0;
    }
    for (int i = 0; takes && i < 3; i++) {
        int up = number_called(node->op, names[i]);
        if (up >= 0)
            node->number[up] *= size;
    }
    if (takes)
        node->input[0] = upsample->input[0];
    return takes;
}

/* The latent is left alone: decoding starts from it, so what follows must read it and not what made
   it. */
void pass_fold(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        while (node->op->arity > 0 && node->input[0]->op->repeats_pixels
               && node->input[0] != graph->latent && take_in(node))
            ;
    }
}
