/* trainer.h - training steps: gradients of a batch by many threads with the bits of one, and the
 * update.
 *
 * A batch is cut into chunks by a rule that depends on its size and the model alone. Each thread
 * takes the next chunk and runs forward and backward into a sum of its own; the sums meet in a tree
 * over the chunks' numbers (sum_tree.h). Floating-point sums thus have one order, whatever the
 * number of threads. A model that accumulates in place, made for a memory limit, has one chunk: its
 * one thread adds all images to the total in their order. */
#ifndef CAEC_TRAINER_H
#define CAEC_TRAINER_H

#include "error.h"
#include "model.h"
#include "compute/optimizer.h"
#include "penalty.h"
#include "sum_tree.h"

typedef struct Trainer {
    const Model *model;
    const ModelStage *stage; /* whose losses, gradients and pictures these are; NULL: the whole
                                network */
    int threads, batch;      /* batch: the largest number of images handed over at once */
    real *parameters;        /* whoever changes them calls trainer_prepare */
    ModelTraining training;  /* of it, the clipping of gradients */
    Optimizer optimizer;
    void *prepared;
    int for_training; /* 1: it has what training reads alone */
    SumTree sums;
    real *total;       /* its root: the gradient of the sum of a batch's losses */
    void *shared;      /* by the images of a group; NULL: there are no groups ... */
    real *group_total; /* ... whose sums meet here, then `total` */
    void **workspaces; /* one a thread; fits training and inference */
    /* A part of every image's loss, though not in `losses`: of the parameters as prepared; and of
       those by which `losses` are. */
    Penalty penalty, counted;
    double *losses; /* [batch] of the last images, each with the model's loss_places */
} Trainer;

/* Allocates everything; parameters start as zeros, the optimizer and the clipping are those of
   `training`. threads >= 1 (counts as 1 in a program built without OpenMP), batch >= 1. Refuses
   more threads than the model's limit of memory has room for. */
int trainer_open(Trainer *trainer, const Model *model, const ModelTraining *training, int batch,
                 int threads, Error *error);
void trainer_close(Trainer *trainer);

/* How many threads a user wants who does not say: OpenMP's number, at most one a processor, and to
   train this model like that (NULL: it is not about training) no more than its limit of memory has
   room for. */
int trainer_default_threads(const Model *model, const ModelTraining *training, int batch);

/* Bytes that trainer_open allocates for so many threads; how many threads the model's limit has
   room for (0: not even for one; INT_MAX: it has none). */
size_t trainer_bytes(const Model *model, const ModelTraining *training, int batch, int threads);
int trainer_threads_within(const Model *model, const ModelTraining *training, int batch);

/* Images in a chunk of `n` (n >= 1) at a time when a batch has `batch`: a power of two, the fewest
   that are much more work than clearing and adding their sum. A model that takes microbatches gets
   as few chunks as hold the n images, of equal size: each reads all weights once. */
int trainer_chunk(const Model *model, int batch, int n);

/* From now on trains that stage of the model (NULL: the whole network), with an optimizer that
   starts afresh and leaves all other parameters alone. */
void trainer_begin_stage(Trainer *trainer, const ModelStage *stage);

/* Brings changed parameters into the kernels' packings. */
void trainer_prepare(Trainer *trainer);

/* The parameters that count in results: their averages, where the optimizer keeps some (see
   optimizer_averages), else the parameters. From trainer_show to the next trainer_prepare,
   evaluation and reconstruction are by them. */
const real *trainer_shown(Trainer *trainer);
void trainer_show(Trainer *trainer);

/* total = gradient of the sum of the n images' losses, losses = each one's, both without the
   penalty. noise[n]: see model.h; NULL: none. */
void trainer_gradient(Trainer *trainer, const uint8_t *const *images, const uint64_t *noise, int n);

/* What is not finite: the losses, the gradient, both found before the update, which is then left
   out; or the parameters after it or the optimizer's state, while `prepared` still holds the
   parameters before it. */
typedef enum TrainerFault {
    TRAINER_FINE,
    TRAINER_LOSS,
    TRAINER_GRADIENT,
    TRAINER_PARAMETER,
    TRAINER_OPTIMIZER
} TrainerFault;

/* Gradient, then one update by its mean over the n images, clipped. */
TrainerFault trainer_step(Trainer *trainer, const uint8_t *const *images, const uint64_t *noise,
                          int n);

/* The losses of the n images, without gradients. */
void trainer_evaluate(Trainer *trainer, const uint8_t *const *images, int n);

/* The sum of the losses of n images added to `sum` in their order. */
double trainer_loss_sum(const Trainer *trainer, int n, double sum);

/* Likewise the model's columns, each added to sums[column]; those that the stage has none of are
   left alone. */
void trainer_column_sums(const Trainer *trainer, int n, double *sums);

/* The groups of what is trained; NULL: its images have nothing to do with each other. */
const ModelGroups *trainer_groups(const Trainer *trainer);

/* The terms of the loss at hand, and how many; the doubles that each image has among the losses. */
const ModelTerm *trainer_terms(const Trainer *trainer, int *count);
size_t trainer_loss_places(const Model *model);

/* One image through the network, or through the layers that this stage and those before it train:
   output[height * width * channels]. On one thread. */
void trainer_reconstruct(Trainer *trainer, const uint8_t *image, real *output);

/* The same as pixels. `scratch` has room for one output. */
void trainer_reconstruct_bytes(Trainer *trainer, const uint8_t *image, real *scratch,
                               uint8_t *bytes);

/* Forward and backward of n images, at most the batch's, in their order on the thread that calls,
   as the model's backward_chunk: in the workspace of that thread, and in what groups share, so that
   of a model with groups one thread may do so at a time. */
void trainer_backward(Trainer *trainer, int thread, const uint8_t *const *images,
                      const uint64_t *noise, int n, real *gradient, double *losses,
                      ModelClock *clock);

/* One image alone on its way through training, with the parameters in `prepared`: its gradient into
   gradient[parameter_reals], its loss. `see` (with `context`) is called after each step of the
   table with the value that the step has left, NULL where it leaves none. On the thread that calls,
   in its workspace; the losses are then this image's. */
typedef void (*TrainerSee)(void *context, int step, const real *value);
double trainer_look(Trainer *trainer, int thread, const uint8_t *image, uint64_t noise,
                    real *gradient, TrainerSee see, void *context);

/* Room for the gradient of such a look, free between steps: a chunk's sum, or where there is one
   chunk alone the total, which is then lost. */
real *trainer_spare_gradient(Trainer *trainer);

/* The table of the steps that are trained by now. */
const ModelStep *trainer_steps(const Trainer *trainer, int *count);

/* 1 where every parameter is a finite number. */
int trainer_parameters_finite(const Trainer *trainer);

/* One of the optimizer's arrays that holds a number that is not finite; NULL: none does. A square
   overflows long before what it is the square of, and its parameter then rests for ever, itself as
   finite as ever. */
const real *trainer_optimizer_fault(const Trainer *trainer);

/* The first channel of the layer that makes the output which is 0 everywhere for all n images, as
   their reconstructions show it (see output_block and output_moved of Model), or -1. `scratch` as
   above. */
int trainer_dead_channel(Trainer *trainer, const uint8_t *const *images, int n, real *scratch);

/* Values of one image: height * width * channels of the output. */
size_t trainer_image_values(const Model *model);

#endif
