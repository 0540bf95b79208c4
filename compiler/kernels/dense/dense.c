#include "dense.h"

#include "../../ops/ops.h"

const char *const dense_ops[] = { "dense", "dense_dx", "dense_dw", NULL };

void dense_bind(Step *step)
{
    const Node *core = step->core;
    const Shape kernel = core->op == &op_dense_dw ? core->shape : core->input[1]->shape;
    step_number(step, "IN", kernel.dim[0]);
    step_number(step, "OUT", kernel.dim[1]);
    if (core->op == &op_dense) {
        step_node(step, "x", core->input[0]);
        step_packing(step, "w", packing_plain(core->input[1], 1));
        if (step->bias)
            step_packing(step, "b", packing_plain(step->bias->input[1], 1));
        step_node(step, "y", step->act ? step->act : step->bias ? step->bias : core);
    } else if (core->op == &op_dense_dx) {
        step_node(step, "dy", core->input[0]);
        step_packing(step, "w", packing_plain(core->input[1], 1));
        step_node(step, "dx", core);
    } else {
        step_node(step, "x", core->input[0]);
        step_node(step, "dy", core->input[1]);
        step_node(step, "dw", core);
        step_node(step, "db", step->db);
    }
}
