#include "packing.h"

#include <string.h>

#define PACKING(name) &packing_kind_##name,
const PackingKind *const all_packing_kinds[] = {
#include "packings.def"
    NULL
};
#undef PACKING

size_t packing_round_up(int64_t n, int lanes)
{
    return (size_t)((n + lanes - 1) / lanes * lanes);
}

int packing_smaller(int a, int b)
{
    return a < b ? a : b;
}

const Node *packing_parameter(const Packing *packing, int i)
{
    if (i >= PACKING_PARAMETERS || !packing->kind->parameters[i])
        return NULL;
    return i == 0 ? packing->parameter : packing->folded[i - 1];
}

static const PackingKind *kind_named(const char *name)
{
    for (int i = 0; all_packing_kinds[i]; i++)
        if (strcmp(all_packing_kinds[i]->name, name) == 0)
            return all_packing_kinds[i];
    bug("no packing is called %s", name);
}

Packing packing_prepared(const Node *made)
{
    Packing packing = { .kind = kind_named(made->op->prepared),
                        .parameter = made->input[0],
                        .made = made,
                        .count = (size_t)shape_count(made->shape)
                                 + (size_t)made->input[1]->shape.dim[0] };
    for (int i = 1; i < made->op->arity; i++)
        packing.folded[i - 1] = made->input[i];
    return packing;
}

bool packing_reads(const Packing *packing, const Node *parameter)
{
    const Node *one;
    for (int i = 0; (one = packing_parameter(packing, i)) != NULL; i++)
        if (one == parameter)
            return true;
    return false;
}

static bool same_numbers(const Packing *a, const Packing *b)
{
    return a->kind == b->kind && a->block == b->block && a->lanes == b->lanes
           && a->rotated == b->rotated && a->up_h == b->up_h && a->up_w == b->up_w
           && a->stride_h == b->stride_h && a->stride_w == b->stride_w
           && a->dilation_h == b->dilation_h && a->dilation_w == b->dilation_w
           && a->pad_top == b->pad_top && a->pad_left == b->pad_left && a->groups == b->groups;
}

bool packing_same(const Packing *a, const Packing *b)
{
    bool same = same_numbers(a, b);
    const Node *one;
    for (int i = 0; same && (one = packing_parameter(a, i)) != NULL; i++)
        same = one == packing_parameter(b, i);
    return same;
}

bool packing_alike(const Packing *a, const Packing *b)
{
    bool alike = same_numbers(a, b);
    const Node *one;
    for (int i = 0; alike && (one = packing_parameter(a, i)) != NULL; i++)
        alike = shape_equal(one->shape, packing_parameter(b, i)->shape);
    return alike;
}
