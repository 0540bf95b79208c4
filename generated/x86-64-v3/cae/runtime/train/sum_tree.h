/* sum_tree.h - the sum of many chunks' sums by many threads, with the bits of one.
 *
 * Something is cut into chunks, numbered from 0; each comes to a sum of `reals` numbers. The sums
 * meet in a binary tree over the chunks' numbers: node j of a level is the sum of nodes 2j and 2j +
 * 1 of the level below, where an odd last node rises as it is; the root is the sum of all. Who
 * computes a chunk, and when, changes no bit of it, and whoever computes a run of chunks that is a
 * node's needs to hand on that one sum alone. A node is made by the thread that hands in the later
 * of its two halves, while the others go on.
 *
 *     sum_tree_begin(tree, chunks);
 *     in each thread:
 *         while ((sum = sum_tree_take(tree, &chunk))) {
 *             add to `sum` what the chunk comes to;
 *             sum_tree_hand_in(tree, chunk, sum);
 *         }
 *     when all have ended: sum_tree_root(tree)
 */
#ifndef CAEC_SUM_TREE_H
#define CAEC_SUM_TREE_H

#include "error.h"
#include "model.h"

/* A node that waits for the other half of the one above it. */
typedef struct TreeNode {
    int level, number; /* level 0: the chunks */
    real *sum;
} TreeNode;

typedef struct SumTree {
    size_t reals, from, to; /* of a sum; which of them are summed */
    int sum_count;
    real **sums, **unused; /* all; those that hold nothing */
    TreeNode *waiting;
    int unused_count, waiting_count;
    int chunks, taken; /* in all, handed out */
    real *root;
} SumTree;

/* How many sums exist at a time with so many chunks (>= 1) and threads (>= 1): at most
   log2(chunks) + threads. */
int sum_tree_sums(int chunks, int threads);

/* Allocates sums for up to so many chunks and threads; exact: as memory_exact does. */
int sum_tree_open(SumTree *tree, size_t reals, int chunks, int threads, int exact, Error *error);
void sum_tree_close(SumTree *tree);

/* A new total, of 1 .. as many chunks as there is room for. The last one's root is lost. */
void sum_tree_begin(SumTree *tree, int chunks);

/* Likewise of the numbers from <= i < to alone; what else is in the sums, the root among them, is no
   number that counts. */
void sum_tree_begin_part(SumTree *tree, int chunks, size_t from, size_t to);

/* A sum of zeros for the next chunk, whose number goes to *chunk; NULL: all have been taken. Waits
   while no sum is free. A thread hands in what it has taken before it takes more. */
real *sum_tree_take(SumTree *tree, int *chunk);
void sum_tree_hand_in(SumTree *tree, int chunk, real *sum);

/* The total, when all chunks are handed in; the caller may change it. Before the first: zeros. */
real *sum_tree_root(const SumTree *tree);

/* A sum to write into till the next sum_tree_begin: another than the root, or where there is no
   other (one chunk) the root, which is then lost. */
real *sum_tree_spare(const SumTree *tree);

#endif
