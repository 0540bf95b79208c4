#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "sum_tree.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* When the first t chunks are handed in and no other is taken, one sum is left for each bit of t:
   the nodes of chunks below t that are part of no other such node. While a chunk is left to take, t
   < chunks, so these are at most log2(chunks): the least t with k bits is 2^k - 1, and 2^k <=
   chunks. So nobody waits for ever where there is one sum more for each thread: if all waited, all
   chunks taken would be handed in, and as many sums be free as there are threads. Who does not wait
   computes a chunk or adds two sums, and comes to an end. */
int sum_tree_sums(int chunks, int threads)
{
    int log = 0;
    while (chunks >> (log + 1))
        log++;
    return chunks - log < threads ? chunks : log + threads;
}

static int allocate(SumTree *tree, int count, int exact, Error *error)
{
    void *(*const block)(size_t, Error *) = exact ? memory_exact : memory_block;
    const size_t n = (size_t)count;
    if (!(tree->sums = memory_block(n * sizeof *tree->sums, error))
        || !(tree->unused = memory_block(n * sizeof *tree->unused, error))
        || !(tree->waiting = memory_block(n * sizeof *tree->waiting, error)))
        return -1;
    for (; tree->sum_count < count; tree->sum_count++)
        if (!(tree->sums[tree->sum_count] = block(tree->reals * sizeof(real), error)))
            return -1;
    return 0;
}

int sum_tree_open(SumTree *tree, size_t reals, int chunks, int threads, int exact, Error *error)
{
    *tree = (SumTree){ .reals = reals };
    if (allocate(tree, sum_tree_sums(chunks, threads), exact, error) != 0) {
        sum_tree_close(tree);
        return -1;
    }
    tree->root = tree->sums[0];
    return 0;
}

void sum_tree_close(SumTree *tree)
{
    for (int i = 0; i < tree->sum_count; i++)
        free(tree->sums[i]);
    free(tree->sums);
    free(tree->unused);
    free(tree->waiting);
    *tree = (SumTree){ 0 };
}

void sum_tree_begin(SumTree *tree, int chunks)
{
    sum_tree_begin_part(tree, chunks, 0, tree->reals);
}

void sum_tree_begin_part(SumTree *tree, int chunks, size_t from, size_t to)
{
    tree->from = from;
    tree->to = to;
    tree->chunks = chunks;
    tree->taken = tree->waiting_count = 0;
    tree->unused_count = tree->sum_count;
    memcpy(tree->unused, tree->sums, (size_t)tree->sum_count * sizeof *tree->sums);
}

/* The sum that was used last is still in the cache. */
static real *next_unused(SumTree *tree, int *chunk)
{
    if (tree->unused_count == 0 || tree->taken == tree->chunks)
        return NULL;
    *chunk = tree->taken++;
    return tree->unused[--tree->unused_count];
}

real *sum_tree_take(SumTree *tree, int *chunk)
{
    for (;;) {
        real *sum;
        int over;
#pragma omp critical(caec_sum_tree)
        {
            over = tree->taken == tree->chunks;
            sum = next_unused(tree, chunk);
        }
        if (sum)
            {
            memset(sum + tree->from, 0, (tree->to - tree->from) * sizeof *sum);
            return sum;
        }
        if (over)
            return NULL;
        nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
    }
}

/* Sixteen at a time, so that vectors do it. */
static void add(real *restrict total, const real *restrict part, size_t count)
{
    const size_t whole = count - count % 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t l = 0; l < 16; l++)
            total[i + l] += part[i + l];
    for (size_t i = whole; i < count; i++)
        total[i] += part[i];
}

/* The other half of the node above, which then waits no more; NULL: it is not ready, so this one
   waits for it. */
static real *find_other(SumTree *tree, TreeNode node)
{
    for (int i = 0; i < tree->waiting_count; i++)
        if (tree->waiting[i].level == node.level && tree->waiting[i].number == (node.number ^ 1)) {
            real *other = tree->waiting[i].sum;
            tree->waiting[i] = tree->waiting[--tree->waiting_count];
            return other;
        }
    tree->waiting[tree->waiting_count++] = node;
    return NULL;
}

/* Nodes of the level. */
static int width(const SumTree *tree, int level)
{
    return ((tree->chunks - 1) >> level) + 1;
}

/* What it adds belongs to this thread alone, so that others go on meanwhile. */
static void join(SumTree *tree, TreeNode *node, real *other)
{
    real *left = node->number % 2 ? other : node->sum,
         *right = node->number % 2 ? node->sum : other;
    add(left + tree->from, right + tree->from, tree->to - tree->from);
    node->sum = left;
#pragma omp critical(caec_sum_tree)
    tree->unused[tree->unused_count++] = right;
}

void sum_tree_hand_in(SumTree *tree, int chunk, real *sum)
{
    TreeNode node = { 0, chunk, sum };
    for (; width(tree, node.level) > 1; node.level++, node.number /= 2) {
        real *other = NULL;
        if (node.number % 2 == 0 && node.number + 1 == width(tree, node.level))
            continue;
#pragma omp critical(caec_sum_tree)
        other = find_other(tree, node);
        if (!other)
            return;
        join(tree, &node, other);
    }
    tree->root = node.sum;
}

real *sum_tree_root(const SumTree *tree)
{
    return tree->root;
}

real *sum_tree_spare(const SumTree *tree)
{
    return tree->sum_count > 1 && tree->sums[0] == tree->root ? tree->sums[1] : tree->sums[0];
}
