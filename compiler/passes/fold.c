#include "passes.h"

#include "../ops/ops.h"

#include <string.h>

/* Which of the operator's numbers is "up"; -1: it cannot take upsampling in. */
static int up_number(const Op *op)
{
    for (int i = 0; op->numbers[i]; i++)
        if (strcmp(op->numbers[i], "up") == 0)
            return i;
    return -1;
}

/* The latent is left alone: decoding starts from it, so what follows must read it and not what made
   it. */
void pass_fold(Graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        int up = up_number(node->op);
        while (up >= 0 && repeats_of(node->input[0]) && node->input[0] != graph->latent) {
            double times = node->number[up] * repeats_of(node->input[0]);
            if (times > MAX_UP)
                break;
            node->number[up] = times;
            node->input[0] = node->input[0]->input[0];
        }
    }
}
