#include "dense.h"

const char *const dense_ops[] = {
    "dense", "dense_dx", "dense_dw", "dense_transpose", "dense_transpose_dx", "dense_transpose_dw",
    NULL
};

static void bind_weights(Step *step)
{
    step_packing(step, "w", packing_plain(step->core->input[1], 1));
}

static void bind_forward(Step *step)
{
    step_node(step, "x", step->core->input[0]);
    bind_weights(step);
    if (step->bias)
        step_packing(step, "b", packing_plain(step->bias->input[1], 1));
    step_node(step, "y", step->act ? step->act : step->bias ? step->bias : step->core);
}

static void bind_dx(Step *step)
{
    step_node(step, "dy", step->core->input[0]);
    bind_weights(step);
    step_node(step, "dx", step->core);
}

static void bind_dw(Step *step)
{
    step_node(step, "x", step->core->input[0]);
    step_node(step, "dy", step->core->input[1]);
    step_node(step, "dw", step->core);
    step_node(step, "db", step->db);
}

void dense_bind(Step *step)
{
    const Node *core = step->core;
    const Direction direction = core->op->direction;
    const Shape kernel = direction == DIRECTION_DW ? core->shape : core->input[1]->shape;
    step_number(step, "IN", kernel.dim[0]);
    step_number(step, "OUT", kernel.dim[1]);
    if (direction == DIRECTION_FORWARD)
        bind_forward(step);
    else if (direction == DIRECTION_DX)
        bind_dx(step);
    else
        bind_dw(step);
}
