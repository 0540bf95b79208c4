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

/* Whether so many times still fit the numbers; then they have them. */
static bool repeat(Node *node, const char *const *names, const int *times, int count)
{
    for (int i = 0; i < count; i++)
        if (node->number[number_called(node->op, names[i])] * times[i] > MAX_UP)
            return false;
    for (int i = 0; i < count; i++)
        node->number[number_called(node->op, names[i])] *= times[i];
    return true;
}

/* Takes in the upsampling that the node reads; whether it could. */
static bool take_in(Node *node)
{
    const Node *upsample = node->input[0];
    const int both = repeats_of(upsample),
              times[] = { repeats_along(upsample, 0), repeats_along(upsample, 1) };
    bool takes = false;
    if (number_called(node->op, "up") >= 0)
        takes = both && repeat(node, (const char *const[]){ "up" }, &both, 1);
    else if (number_called(node->op, "up_h") >= 0)
        takes = repeat(node, (const char *const[]){ "up_h", "up_w" }, times, 2);
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
