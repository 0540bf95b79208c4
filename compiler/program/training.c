#include "training.h"

#include "../ops/ops.h"

enum { ALIGNMENT = 64, STATE_OF_LIBRARY = 128 };

/* Of chunks, as runtime/train/trainer.c has them. */
enum { MACS_A_REAL = 1400, MAX_CHUNK = 8, CHUNKS_WANTED = 8 };

static size_t block(size_t bytes)
{
    return ((bytes ? bytes : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t parameter_count(const Plan *plan)
{
    size_t count = 0;
    for (int i = 0; i < plan->graph->parameter_count; i++)
        count += (size_t)shape_count(plan->graph->parameters[i].node->shape);
    return count;
}

static size_t parameter_bytes(const Plan *plan)
{
    return parameter_count(plan) * (size_t)settings_real_bytes(&plan->settings);
}

/* Of one thread: it fits training and inference, of all stages of training. */
static size_t workspace_bytes(const Plan *plan)
{
    const size_t latent = (size_t)shape_count(plan->graph->latent->shape) * (size_t)plan->microbatch
                          * (size_t)settings_real_bytes(&plan->settings);
    size_t train = larger(larger(plan->train.bytes, plan->evaluate.bytes), ALIGNMENT),
           infer = larger(plan->encode.bytes, plan->decode.bytes);
    for (int i = 0; i < plan->stage_count; i++) {
        train = larger(train, larger(plan->stages[i].bytes, plan->evaluations[i].bytes));
        infer = larger(infer, plan->previews[i].bytes);
    }
    return larger(train, block(latent) + infer);
}

/* Of a batch: its first group is the largest. */
static size_t shared_bytes(const Plan *plan)
{
    const Graph *graph = plan->graph;
    const int images = plan_group_images(plan);
    size_t most = plan->train.shared_bytes;
    for (int i = 0; i < plan->stage_count; i++)
        most = larger(most, plan->stages[i].shared_bytes);
    return graph->grouped ? larger(most * (size_t)images, ALIGNMENT) : 0;
}

/* A group that threads share is cut into four or more. */
static int chunks_of_microbatches(const Plan *plan, int batch)
{
    const int chunks = (batch + plan->microbatch - 1) / plan->microbatch,
              chunk = (batch + chunks - 1) / chunks, share = (batch + 3) / 4;
    return plan->graph->grouped && chunk > share ? (batch + share - 1) / share : chunks;
}

/* Chunks of a batch, as trainer_chunk() of the runtime cuts it. */
static int chunk_count(const Plan *plan)
{
    const int batch = plan->graph->grouped ? plan_group_images(plan) : plan->graph->training.batch;
    const double macs = program_macs(&plan->train),
                 wanted = MACS_A_REAL * (double)parameter_count(plan);
    int chunk = 1;
    if (plan->accumulates_in_place)
        return 1;
    if (plan->microbatch > 1)
        return chunks_of_microbatches(plan, batch);
    while (chunk < MAX_CHUNK && chunk * macs < wanted && 2 * chunk * CHUNKS_WANTED <= batch)
        chunk *= 2;
    return (batch + chunk - 1) / chunk;
}

/* As sum_tree_sums() of the runtime says. */
static int sum_count(const Plan *plan, int threads)
{
    const int chunks = chunk_count(plan);
    int log = 0;
    while (chunks >> (log + 1))
        log++;
    return chunks - log < threads ? chunks : log + threads;
}

size_t plan_training_bytes(const Plan *plan, int threads)
{
    const Training *t = &plan->graph->training;
    const size_t vector = block(parameter_bytes(plan)),
                 real_bytes = (size_t)settings_real_bytes(&plan->settings);
    const size_t prepared = (plan_packings_apart(plan) ? plan->training_reals
                                                       : plan->prepared_reals)
                            * real_bytes;
    const size_t own = (size_t)optimizer_states(&t->optimizer);
    if (plan->settings.library)
        return parameter_bytes(plan) + STATE_OF_LIBRARY + larger(prepared, ALIGNMENT)
               + (1 + own) * vector + larger(plan->train.bytes, ALIGNMENT) + shared_bytes(plan);
    return (1 + own + (plan->graph->grouped ? 1 : 0) + (size_t)sum_count(plan, threads)) * vector
           + block(prepared) + block((size_t)t->batch * sizeof(double)) + shared_bytes(plan)
           + (size_t)threads * block(workspace_bytes(plan));
}

/* A dense layer's weights are read once for each microbatch and direction. */
static double cost_of_microbatches(const Plan *plan)
{
    return plan->microbatch > 1 ? 3 * cost_of_moving((double)parameter_bytes(plan), &plan->settings)
                                      / plan->microbatch
                                : 0;
}

/* Values that lie far apart are moved one by one. */
static double cost_of_turning(const Plan *plan, const Step *step)
{
    return step->on_use ? cost_of_moving((double)step->on_use->count, &plan->settings)
                              * settings_lanes(&plan->settings)
                        : 0;
}

double plan_training_cost(const Plan *plan)
{
    double cost = cost_of_microbatches(plan);
    for (int i = 0; i < plan->train.count; i++)
        cost += plan->train.steps[i]->cost + cost_of_turning(plan, plan->train.steps[i]);
    for (int p = 0; p < plan->stage_count; p++)
        for (int i = 0; i < plan->stages[p].count; i++)
            cost += plan->stages[p].steps[i]->recomputes ? plan->stages[p].steps[i]->cost : 0;
    return cost;
}
