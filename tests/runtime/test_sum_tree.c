/* The tree in which chunks' sums meet: its bits, and how many sums it needs. */
#include "train/sum_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REALS = 19, MOST_CHUNKS = 70, MOST_THREADS = 9 };

static unsigned drawn = 1;

static unsigned draw(unsigned below)
{
    drawn = drawn * 1664525u + 1013904223u;
    return (drawn >> 8) % below;
}

/* Of sizes so far apart that another order gives other bits. */
static real number_of(int chunk, int i)
{
    unsigned x = (unsigned)(chunk * REALS + i + 1) * 2654435761u;
    real size = x >> 31 ? 1 : x >> 30 ? 256 : 65536;
    return size * (real)((double)(x % 1000003) / 1000003 - 0.5);
}

static void add_chunk(real *sum, int chunk)
{
    for (int i = 0; i < REALS; i++)
        sum[i] += number_of(chunk, i);
}

/* The definition: number `node` of the level, of a tree over so many chunks. */
static real node_of(int level, int node, int chunks, int i)
{
    if (level == 0)
        return number_of(node, i);
    const int below = (chunks - 1 + (1 << (level - 1))) >> (level - 1);
    const real left = node_of(level - 1, 2 * node, chunks, i);
    return 2 * node + 1 < below ? left + node_of(level - 1, 2 * node + 1, chunks, i) : left;
}

static void assert_root(const SumTree *tree, int chunks)
{
    real right[REALS];
    for (int i = 0; i < REALS; i++)
        right[i] = node_of(7, 0, chunks, i);
    assert_memory_equal(sum_tree_root(tree), right, sizeof right);
}

static SumTree open_tree(int chunks, int threads)
{
    SumTree tree;
    Error error;
    assert_int_equal(sum_tree_open(&tree, REALS, chunks, threads, 0, &error), 0);
    sum_tree_begin(&tree, chunks);
    return tree;
}

/* Chunks as `threads` take them, which end in any order; those that find no sum wait. 0: all wait
   for ever. */
static int run(SumTree *tree, int chunks, int threads)
{
    struct {
        int chunk;
        real *sum;
    } at_work[MOST_THREADS];
    int working = 0, taken = 0;
    while (taken < chunks || working > 0) {
        int can_take = taken < chunks && working < threads && tree->unused_count > 0;
        if (!can_take && !working)
            return 0;
        if (can_take && (!working || draw(2))) {
            at_work[working].sum = sum_tree_take(tree, &at_work[working].chunk);
            assert_int_equal(at_work[working].chunk, taken);
            add_chunk(at_work[working++].sum, taken++);
        } else {
            int i = (int)draw((unsigned)working);
            sum_tree_hand_in(tree, at_work[i].chunk, at_work[i].sum);
            at_work[i] = at_work[--working];
        }
    }
    return 1;
}

static void any_order_gives_the_bits_of_the_tree(void **state)
{
    (void)state;
    for (int chunks = 1; chunks <= MOST_CHUNKS; chunks++)
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            int chunk;
            SumTree tree = open_tree(chunks, threads);
            assert_true(run(&tree, chunks, threads));
            assert_root(&tree, chunks);
            assert_null(sum_tree_take(&tree, &chunk));
            assert_int_equal(tree.unused_count, tree.sum_count - 1);
            assert_true(tree.sum_count == 1 || sum_tree_spare(&tree) != sum_tree_root(&tree));
            sum_tree_close(&tree);
        }
}

static void a_tree_has_room_for_fewer_chunks(void **state)
{
    (void)state;
    SumTree tree = open_tree(MOST_CHUNKS, 3);
    for (int chunks = MOST_CHUNKS; chunks > 0; chunks--) {
        sum_tree_begin(&tree, chunks);
        assert_true(run(&tree, chunks, 3));
        assert_root(&tree, chunks);
    }
    sum_tree_close(&tree);
}

/* Of 2^k chunks, all but the last are k sums: where there is none besides, all threads wait for
   ever, and where there are fewer besides than threads, some wait while none is at work. */
static void one_sum_fewer_would_not_do(void **state)
{
    (void)state;
    for (int k = 1; k <= 6; k++)
        for (int threads = 1; threads <= MOST_THREADS && k + threads <= 1 << k; threads++) {
            int chunk;
            SumTree tree = open_tree(1 << k, threads);
            assert_int_equal(tree.sum_count, k + threads);
            while (tree.taken < (1 << k) - 1) {
                real *sum = sum_tree_take(&tree, &chunk);
                sum_tree_hand_in(&tree, chunk, sum);
            }
            assert_int_equal(tree.unused_count, threads);
            sum_tree_begin(&tree, 1 << k);
            tree.unused_count -= threads;
            assert_false(run(&tree, 1 << k, threads));
            sum_tree_close(&tree);
        }
}

static void threads_give_the_bits_of_the_tree(void **state)
{
    (void)state;
    for (int chunks = 1; chunks <= MOST_CHUNKS; chunks += 3) {
        SumTree tree = open_tree(chunks, 8);
#pragma omp parallel num_threads(8)
        {
            int chunk;
            for (real *sum; (sum = sum_tree_take(&tree, &chunk));
                 sum_tree_hand_in(&tree, chunk, sum))
                add_chunk(sum, chunk);
        }
        assert_root(&tree, chunks);
        sum_tree_close(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_bits_of_the_tree),
        cmocka_unit_test(a_tree_has_room_for_fewer_chunks),
        cmocka_unit_test(one_sum_fewer_would_not_do),
        cmocka_unit_test(threads_give_the_bits_of_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
