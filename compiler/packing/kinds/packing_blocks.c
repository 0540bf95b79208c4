#include "../packing.h"

#include "../../base/arena.h"

Packing packing_blocks(const Node *parameter, int block, int lanes, Taps taps)
{
    const int *d = parameter->shape.dim, groups = taps.groups;
    int in = taps.rotated ? d[3] / groups : d[2], out = taps.rotated ? d[2] : d[3] / groups;
    bool phased = taps.rotated && taps.stride > 1;
    return (Packing){ .kind = &packing_kind_blocks,
                      .parameter = parameter,
                      .block = block,
                      .lanes = lanes,
                      .rotated = taps.rotated,
                      .stride_w = phased ? taps.stride : 1,
                      .dilation_w = phased ? taps.dilation : 1,
                      .groups = groups,
                      .count = (size_t)groups * (size_t)d[0] * (size_t)d[1] * (size_t)in
                               * packing_round_up(out, lanes) };
}

/* The taps of a kernel in the order of packing_blocks; of a turned one backwards, with a stride
   those together that meet the same outputs. */
static int *taps_in_order(const Packing *packing, int height, int width)
{
    int *order = ARENA_ARRAY(int, height *width), count = 0;
    for (int row = 0; row < height; row++) {
        for (int tap = 0; tap < width && !packing->rotated; tap++)
            order[count++] = row * width + tap;
        for (int rest = 0; rest < packing->stride_w && packing->rotated; rest++)
            for (int tap = width - 1; tap >= 0; tap--)
                if (tap * packing->dilation_w % packing->stride_w == rest)
                    order[count++] = (height - 1 - row) * width + tap;
    }
    return order;
}

/* One group: `at` of its first value in the parameter; from one tap to the next, and of channels in
   and out, it is so far. */
typedef struct Group {
    size_t at, tap, in_apart, out_apart;
    int in, out;
} Group;

static Group group_at(const Packing *packing, int g)
{
    const int *d = packing->parameter->shape.dim, groups = packing->groups, co = d[3];
    size_t per = (size_t)(co / groups), tap = (size_t)d[2] * (size_t)co;
    return packing->rotated ? (Group){ (size_t)g * per, tap, 1, (size_t)co, co / groups, d[2] }
                            : (Group){ (size_t)g * per, tap, (size_t)co, 1, d[2], co / groups };
}

static float *compute_group(const Packing *packing, const Group *group, const int *order, int taps,
                            const float *parameter, float *values)
{
    const int room = (int)packing_round_up(group->out, packing->lanes);
    for (int block = 0; block < room; block += packing->block)
        for (int k = 0; k < taps; k++)
            for (int i = 0; i < group->in; i++)
                for (int o = block; o < packing_smaller(block + packing->block, room); o++) {
                    size_t at = group->at + (size_t)order[k] * group->tap
                                + (size_t)i * group->in_apart + (size_t)o * group->out_apart;
                    *values++ = o < group->out ? parameter[at] : 0;
                }
    return values;
}

static void compute(const Packing *packing, const float *const *parameters, float *values)
{
    const int *d = packing->parameter->shape.dim, *order = taps_in_order(packing, d[0], d[1]);
    for (int g = 0; g < packing->groups; g++) {
        Group group = group_at(packing, g);
        values = compute_group(packing, &group, order, d[0] * d[1], parameters[0], values);
    }
}

const PackingKind packing_kind_blocks = {
    .name = "blocks",
    .suffix = "",
    .parameters = { "parameter" },
    .text = "packing_blocks.c.in",
    .comment = "in blocks of",
    .unit = "channels",
    .values = compute,
};
