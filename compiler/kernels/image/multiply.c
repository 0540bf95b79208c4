/* multiply - products value by value, of which one side may be spread over the other, and their
 * gradients.
 *
 * How far apart two neighbours of a value lie is 0 where they are one number, spread. Columns and
 * channels are one loop where both sides have either as they lie or spread. */
#include "../../ops/ops.h"
#include "../kernel.h"

static const char *text(const Node *core)
{
    (void)core;
    return "multiply.c.in";
}

/* Distances from row to row, from column to column, from channel to channel. */
typedef struct Strides {
    int row, column, channel;
} Strides;

/* Height, width and channels; a flat value is one pixel. */
static void extents(Shape shape, int extent[3])
{
    for (int i = 0; i < 3; i++)
        extent[i] = shape.rank == 3 ? shape.dim[i] : i == 2 ? shape.dim[0] : 1;
}

/* Of a value inside of loops over `all`. */
static Strides strides(Shape value, const int all[3])
{
    int dim[3];
    extents(value, dim);
    return (Strides){ dim[0] == all[0] ? dim[1] * dim[2] : 0, dim[1] == all[1] ? dim[2] : 0,
                      dim[2] == all[2] };
}

static void number_strides(Step *step, const char *const names[3], Strides s)
{
    step_number(step, names[0], s.row);
    step_number(step, names[1], s.column);
    step_number(step, names[2], s.channel);
}

/* A row's sums in the arithmetic's own type, then the rows' in double precision. */
static void plan_sums(Step *step, const Settings *settings, int64_t count, Strides x, int rows)
{
    const int64_t doubles = (int64_t)sizeof(double) / settings_real_bytes(settings);
    const bool over_rows = rows > 1 && x.row == 0;
    step_number(step, "ROW_SUMS", (int)(over_rows ? count : count / rows));
    if (over_rows)
        step_scratch(step, (size_t)(count + 1 + count * doubles));
}

/* Loops, and where in them the three values lie. */
static void plan_loops(Step *step, const int all[3], const Strides of[3])
{
    static const char *const names[3][3] = { { "A_ROW", "A_COLUMN", "A_CHANNEL" },
                                             { "B_ROW", "B_COLUMN", "B_CHANNEL" },
                                             { "X_ROW", "X_COLUMN", "X_CHANNEL" } };
    bool one_loop = true;
    for (int i = 0; i < 3; i++) {
        number_strides(step, names[i], of[i]);
        one_loop = one_loop && of[i].column == all[2] * of[i].channel;
    }
    step_number(step, "ROWS", all[0]);
    step_number(step, "COLUMNS", one_loop ? 1 : all[1]);
    step_number(step, "CHANNELS", one_loop ? all[1] * all[2] : all[2]);
}

static void plan(Step *step, const Settings *settings)
{
    const Node *core = step->core;
    const bool forward = core->op == &op_multiply;
    int all[3];
    extents(forward ? core->shape : core->input[0]->shape, all);
    const Strides of[] = { strides(core->input[0]->shape, all), strides(core->input[1]->shape, all),
                           strides(core->shape, all) };
    plan_loops(step, all, of);
    step_node(step, forward ? "a" : "dy", core->input[0]);
    step_node(step, forward ? "b" : "other", core->input[1]);
    step_node(step, forward ? "y" : "dx", core);
    if (!forward)
        plan_sums(step, settings, shape_count(core->shape), of[2], all[0]);
}

static double cost(const Step *step, const Settings *settings)
{
    const Node *core = step->core, *largest = core->op == &op_multiply ? core : core->input[0];
    return cost_of_moving((double)shape_count(largest->shape) * 2, settings);
}

static const char *const ops[] = { "multiply", "multiply_dx", NULL };

const Kernel kernel_multiply = {
    .name = "multiply",
    .about = "products, one side spread over the other, and their gradients",
    .ops = ops,
    .text = text,
    .cost = cost,
    .plan = plan,
};
