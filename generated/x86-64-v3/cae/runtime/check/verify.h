/* verify.h - this very binary against numbers from another framework.
 *
 * The reference is a safetensors file (F32 or F64) of one batch of B images and K updates:
 *     input              [B, h, w, c]   multiples of 1/255 in 0..1
 *     step0/<parameter>                 the parameters to start from
 *     latent, output     [B, ...]       of step 0
 *     loss               [K + 1]        the batch's mean loss before each update and after the last
 *     grad/<parameter>                  gradient of that mean at step 0, of what is trained
 *     step<k>/<parameter>               after k updates, k = 1..K, by the optimizer that
 *                                       __metadata__.optimizer names, as --optimizer takes it;
 *                                       where there is none by Adam: lr 1e-3, beta1 0.9, beta2
 *                                       0.999, eps 1e-7
 *
 * To layers that take statistics of several images the B images are one batch, whatever `over`
 * says; latent and output are those of training. Moving statistics start at the values that any
 * run starts from where step0/ has none, have no gradient, and are compared where step<k>/ has
 * them; likewise the share of a warm-up, which is 1.
 *
 * A difference is the largest |ours - theirs| of a tensor over its largest |theirs| (over 1 where
 * that is 0). Bounds in float, where a pool or a ReLU may fall the other way at a tie: latent and
 * output 1e-5, each loss 3e-4 of itself, gradients 2e-3. Parameters after updates are held in
 * absolute terms, by how far the first update moves the parameter that it moves furthest, M (on the
 * side where that is less), since one Adam update moves each by about lr, whatever its size, and a
 * gradient near 0 may change its sign: 99 % of a tensor within M / 2, and none beyond 3 M. With
 * Adam's lr 1e-3 M is 1e-3. (Relative to a bias's largest value, some 1e-3, the same numbers would
 * be below what float32 can promise: PyTorch's float32 exceeds them against its own float64.) In
 * double: 1e-6 relative throughout. NaN fails.
 *
 * A gradient can be 0 by the mathematics (a bias before a norm of each channel, which takes every
 * mean away): both sides then hold what rounding left of sums whose terms are as large as those of
 * the network's other gradients, and nothing agrees with nothing. So a gradient also passes if it
 * is off by no more than R = 5e-6 of the network's largest gradient in float, 1e-13 in double: some
 * hundred, some thousand rounding errors (2^-24, 2^-53) of such a term (up to 7e-7 in float was
 * seen), and far below what a mistake in a formula leaves. After updates: with N, four times what a
 * tensor's gradient was off at step 0 and at most R, Adam, which divides by the gradient's size,
 * makes an error N of a gradient g one of up to M * 2 N / (|g| + eps / sqrt(1 - beta2^t)) of the
 * parameter, and no two updates differ by more than M * 2 sqrt(t), if they go opposite ways; a
 * parameter also passes if t times that explains its difference. Unless g is near N itself this
 * allows nothing that the bounds above do not. Rows say how many values passed so. */
#ifndef CAEC_VERIFY_H
#define CAEC_VERIFY_H

#include "error.h"
#include "model.h"

#include <stdbool.h>

/* Compares and prints a row per tensor and a verdict to stdout, or one JSON object
       {"model", "real", "batch", "steps", "parameters", "updates_compared", "tensors": [{"name",
       "difference", "bound", "verdict",
        after updates also "absolute", the largest absolute difference, and "within", the share of
        values within "within_bound"; "rounded", how
        many values passed because rounding explains them, if any}], "compared", "failed",
        "verdict"}
   where a verdict is "ok" or "FAIL" and a difference that is no number is null. Returns 0 where all
   tensors are within their bounds, 1 where one is not, -1 where the file cannot be read or does not
   fit the model: a tensor missing, one too many, misshapen, or an input that is no picture is
   refused by name, and so is an optimizer that --optimizer would not take. Updates and the losses
   after them are compared only where the graph's optimizer is the file's; otherwise that is
   said. Schedule and clipping are left aside; noise and dropout
   hand on what they get. */
int verify_run(const Model *model, const char *path, bool json, Error *error);

#endif
