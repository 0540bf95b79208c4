#include "print.h"

static void print_step(Text *out, int place, const Step *step)
{
    text_add(out, "%3d %-32s %-12s %-8s", place, step->function, step->kernel->name,
             step->direction);
    const struct {
        const char *what;
        const Node *node;
    } taken[] = {
        { "bias", step->bias },   { "act", step->act },       { "pool", step->pool },
        { "codes", step->codes }, { "d_pool", step->d_pool }, { "d_act", step->d_act },
        { "db", step->db },       { "dx", step->dx },
    };
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (taken[i].node)
            text_add(out, " +%s", taken[i].what);
    text_add(out, "\n      cost: %s\n", step->why);
    if (!step->number_count)
        return;
    text_add(out, "      numbers:");
    for (int i = 0; i < step->number_count; i++)
        text_add(out, " %s=%d", step->numbers[i].name, step->numbers[i].value);
    text_add(out, "\n");
}

void plan_print(Text *out, const Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    text_add(out, "target %s, %d reals a vector\n", plan->settings.target->name,
             settings_lanes(&plan->settings));
    text_add(out, "%s", plan->limit_report);
    if (plan->microbatch > 1)
        text_add(out, "microbatch: %d images at once, whose dense layers are one product each\n",
                 plan->microbatch);
    for (int p = 0; p < count; p++) {
        text_add(out, "\n%s: %d steps, workspace %zu bytes\n", programs[p]->name,
                 programs[p]->count, programs[p]->bytes);
        for (int i = 0; i < programs[p]->count; i++)
            print_step(out, i, programs[p]->steps[i]);
    }
    text_add(out, "\nprepared weights: %zu bytes\n",
             plan->prepared_reals * (size_t)settings_weight_bytes(&plan->settings));
    for (int i = 0; i < plan->packing_count; i++)
        text_add(out, "    %-40s %-8s %zu reals\n", plan->packings[i]->name,
                 plan->packings[i]->kind->name, plan->packings[i]->count);
}

static void print_rings(Text *out, const Plan *plan, const Program *p)
{
    const size_t bytes = (size_t)settings_real_bytes(&plan->settings);
    text_add(out, "%s: %zu bytes after its state\n    %10s %10s  rows  of value\n", p->name,
             p->bytes, "offset", "bytes");
    for (int i = 0; i <= p->count; i++) {
        const Ring *r = &p->rings[i];
        text_add(out, "    %10zu %10zu  %4d  %s  %s\n", r->offset * bytes,
                 (size_t)r->depth * (size_t)r->room * bytes, r->depth,
                 plan_identifier(r->node->name), shape_text(r->node->shape));
    }
    if (p->scratch)
        text_add(out, "    %10zu             scratch of the steps\n", p->scratch * bytes);
}

/* The buffers in one memory, a thread's or the group's, under its headline. */
static void print_buffers(Text *out, const Program *p, bool shared)
{
    size_t sum = 0;
    for (int i = 0; i < p->buffer_count; i++)
        sum += p->buffers[i].shared == shared ? p->buffers[i].bytes : 0;
    if (shared)
        text_add(out, "%s: in the memory of a group %zu bytes an image (%zu without sharing)\n",
                 p->name, p->shared_bytes, sum);
    else
        text_add(out, "%s: workspace %zu bytes a thread (%zu without sharing)\n", p->name, p->bytes,
                 sum);
    text_add(out, "    %10s %10s  %-9s value\n", "offset", "bytes", "steps");
    for (int i = 0; i < p->buffer_count; i++) {
        const Buffer *b = &p->buffers[i];
        if (b->shared != shared)
            continue;
        text_add(out, "    %10zu %10zu  %3d-%-5d %s", b->offset, b->bytes, b->first, b->last,
                 b->name);
        if (b->node)
            text_add(out, "  %s", shape_text(b->node->shape));
        if (b->copies > 1)
            text_add(out, " of %d images", b->copies);
        text_add(out, "\n");
    }
}

void plan_print_memory(Text *out, const Plan *plan)
{
    Program **programs;
    int count = plan_programs(plan, &programs);
    for (int p = 0; p < count; p++) {
        if (programs[p]->rings) {
            print_rings(out, plan, programs[p]);
            continue;
        }
        print_buffers(out, programs[p], false);
        if (programs[p]->shared_bytes > 0)
            print_buffers(out, programs[p], true);
    }
}
