#include "library_weights.h"

#include "../base/arena.h"
#include "../packing/stored.h"
#include "holes.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64 }; /* bytes; the least that a library calls prepared weights */

/* Numbers in the whole array: zeros fill it up. */
static size_t number_count(const Plan *plan)
{
    const size_t least = BLOCK / (size_t)settings_weight_bytes(&plan->settings);
    return plan->prepared_reals > least ? plan->prepared_reals : least;
}

/* The bits of all numbers, those of a half in 16 of them. */
static const uint32_t *numbers(const Plan *plan, const Trained *trained)
{
    uint32_t *all = ARENA_ARRAY(uint32_t, number_count(plan));
    for (int i = 0; i < plan->packing_count; i++) {
        const Packing *packing = plan->packings[i];
        const float *parameters[PACKING_PARAMETERS];
        const Node *one;
        if (packing->training)
            continue;
        const Packing *first = packing->from ? packing->from : packing;
        for (int k = 0; (one = packing_parameter(first, k)) != NULL; k++)
            parameters[k] = trained_values(trained, plan->graph, one);
        packing_bits(packing, parameters, plan->settings.half, all + packing->offset);
    }
    return all;
}

static Text as_bytes(const Plan *plan, const uint32_t *all)
{
    const size_t count = number_count(plan), each = (size_t)settings_weight_bytes(&plan->settings);
    char *bytes = arena_alloc(count * each + 1);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < each; k++)
            bytes[i * each + k] = (char)(all[i] >> 8 * k & 0xff); /* little-endian */
    return (Text){ .data = bytes, .length = count * each, .room = count * each + 1 };
}

/* As C reads it back to the bit. */
static int write_number(char *text, size_t size, uint32_t bits, bool half)
{
    const char *sign = bits >> 31 ? "-" : "";
    const int exponent = (int)(bits >> 23 & 0xff);
    const uint32_t fraction = (bits & 0x7fffff) << 1;
    if (half)
        return snprintf(text, size, "0x%04x", (unsigned)bits);
    if (bits << 1 == 0)
        return snprintf(text, size, "%s0.0f", sign);
    return snprintf(text, size, "%s0x%d.%06xp%df", sign, exponent > 0, (unsigned)fraction,
                    exponent > 0 ? exponent - 127 : -126);
}

static Text as_c(const Plan *plan, const uint32_t *all)
{
    const size_t count = number_count(plan), a_line = plan->settings.half ? 12 : 5;
    Text text = { 0 };
    text_add(
        &text,
        "/* The weights, packed for the kernels. */\n#include \"%s.h\"\n\n_Alignas(%s_ALIGN) const "
        "%s %s_prepared[%zu] = {",
        plan->graph->name, upper(plan->graph->name), plan->settings.half ? "uint16_t" : "float",
        plan->graph->name, count);
    for (size_t i = 0; i < count; i++) {
        char number[40];
        text_append(&text, i % a_line ? " " : "\n    ", i % a_line ? 1 : 5);
        text_append(&text, number,
                    (size_t)write_number(number, sizeof number, all[i], plan->settings.half));
        text_append(&text, ",", 1);
    }
    text_add(&text, "\n};\n");
    return text;
}

void emitter_weights(Emitter *e)
{
    const char *name = e->plan->graph->name;
    const uint32_t *all = numbers(e->plan, e->options->trained);
    if (e->options->weights_as_c) {
        emitter_file(e, arena_format("%s_weights.c", name), as_c(e->plan, all));
        return;
    }
    emitter_file(e, arena_format("%s_weights.bin", name), as_bytes(e->plan, all));
    emitter_skeleton(e, "library_weights.c.in", arena_format("%s_weights.c", name));
}
