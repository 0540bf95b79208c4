/* passes.h - the passes over the graph, in the order that the table of pipeline.c runs them. Each
   does one thing to one Graph. */
#ifndef CAEC_PASSES_H
#define CAEC_PASSES_H

#include "../ir/graph.h"

/* Of a graph that streams and whose every image, and kernel, has one row: exchanges height and
   width of all, so that what comes row by row is one sample of a signal. Values and kernels lie in
   memory as before. requires: forward nodes and loss only; provides: graph->turned where it did;
   breaks: nothing. */
void pass_turn(Graph *graph);

/* Gives inference a path of its own without the layers that are active in training alone: what they
   feed is copied as it is without them, and latent and output are those copies. The loss keeps
   reading the nodes as they were. requires: forward nodes and loss only; provides: latent and
   output reach no training_only node, node->inference; breaks: latent and output need not stand
   above the loss. */
void pass_split_inference(Graph *graph);

/* Gives each stage of training but the last, which is the whole network, a copy of the layers that
   it trains, with a loss of its own, and the program that shows what has been learnt so far. What
   lies below is read as inference has it, and not copied. Fails where a layer reads one that a
   later stage trains. requires: inference split off; provides: stages[i].objective and output;
   breaks: nothing. */
void pass_stages(Graph *graph);

/* Takes nearest upsampling into the convolution or loss that reads it: conv2d(upsample2d(x))
   becomes conv2d{up}(x), so that the enlarged image is never made in training. requires: forward
   nodes and loss only; provides: no conv2d or mse reads an upsample2d; breaks: nothing. */
void pass_fold(Graph *graph);

/* Reverse-mode differentiation of the loss by every parameter, and of each stage's loss by those
   that it trains, with one gradient rule an operator (Griewank and Walther 2008, "Evaluating
   Derivatives", chapter 3). A value with several readers gets the sum of what they send back, in a
   fixed order. requires: a loss; provides: parameters[i].gradient, stages[i].gradient; breaks:
   nothing. */
void pass_differentiate(Graph *graph);

/* Exchanges the order of the gradients of an activation and the max-pool after it: act_dx(y,
   pool_dx(codes, d)) becomes pool_dx(codes, act_dx(pooled, d)). Equal, since pool_dx is zero except
   where y is the pooled value; and y itself need not be kept. Only of an activation that is
   monotone and has its gradient from y. requires: gradients; provides: no
   activation before a max-pool is read by a gradient; breaks: nothing. */
void pass_commute(Graph *graph);

/* Takes batch_norm by its moving statistics into the convolution or dense product before it, in
   inference alone: batch_norm(conv2d(x, kernel) + bias) becomes conv2d(x, scaled_kernel) +
   scaled_bias, of the same rounding but for the last bits. Both are made with the packings of
   weights, so that it costs nothing an image, and activation and pool follow the convolution again.
   What is read twice, or leads somewhere else, stays as it is; what comes after is copied, for
   training goes on as before. requires: inference split off; provides: latent, output and losses
   of validation reach no such batch_norm; breaks: nothing. */
void pass_merge(Graph *graph);

/* Drops what nothing needs: the gradient by the image, values that folding left without users.
   requires: nothing; provides: every node is reached from a root; breaks: nothing. */
void pass_drop(Graph *graph);

/* Finds the fusions: a core (convolution, dense product, or any operator alone), its epilogue of
   bias, activation and pool, and the backward half of both. requires: gradients, commuted;
   provides: graph->fusions, every computing node in exactly one; breaks: nothing (run it last). */
void pass_fuse(Graph *graph);

#endif
