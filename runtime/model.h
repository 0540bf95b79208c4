/* model.h - the contract between a generated model and the runtime. Types only.
 *
 * caec writes one `const Model caec_model` per graph; the runtime's programs train and run it and
 * know nothing else about the network. Generated code includes this header and no other of the
 * runtime.
 *
 * Numbers are of type `real` (float, or double where the graph was compiled with --real double).
 * Images are uint8_t, rows of pixels of interleaved channels (HWC); a pixel counts as float32 value
 * / 255, whatever `real` is. Activations are HWC, convolution kernels HWIO.
 *
 * Memory: the caller owns all of it. Every block handed over is aligned to MODEL_ALIGNMENT bytes. A
 * workspace belongs to one thread while a function runs and holds nothing that must survive between
 * calls; `prepared` and `parameters` may be read by many threads at once. No function allocates,
 * prints or fails. */
#ifndef CAEC_MODEL_H
#define CAEC_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifndef CAEC_REAL
#define CAEC_REAL float
#endif
typedef CAEC_REAL real;

enum { MODEL_ALIGNMENT = 64 };

/* Shape of one image's worth of a tensor: rank 3 is {height, width, channels}, rank 1 is {units}; a
   dense kernel has rank 2, {inputs, units}. */
typedef struct ModelShape {
    int rank;
    int dim[4];
} ModelShape;

/* One tensor of weights. `offset` and `count` are in reals; the flat parameter array holds the
   tensors in this order without gaps. */
typedef struct ModelParameter {
    const char *name; /* "encoder.conv1.kernel" */
    ModelShape shape; /* rank 4 HWIO (of transposed convolutions HWOI), rank 2 IO, or rank 1 */
    size_t offset, count;
    double limit; /* initial values are uniform in [-limit, limit) (Glorot); 0: all are `fill` */
    double fill;
} ModelParameter;

/* One row of a time table: a call that the generated code makes. */
typedef struct ModelStep {
    const char *layer;     /* "encoder.conv1" */
    const char *direction; /* "forward", "dX", "dW", ... */
    const char *kernel;    /* "conv_direct" */
    double macs;         /* multiply-adds of the direct algorithm for one image; 0 where that means
                            nothing */
    size_t place, count; /* in a training program: the value that the step leaves in the workspace,
                            in reals (of the first image of a microbatch); count 0: none */
    int channels;        /* > 0: that value, HWC or flat, comes from a layer whose channels or units
                            can die, be 0 for every picture */
} ModelStep;

/* A stopwatch for those calls: generated code adds the seconds since the last mark to
   seconds[step]. */
typedef struct ModelClock {
    double (*now)(void); /* seconds */
    double last;
    double *seconds; /* one an entry of the step table; the caller clears it */
} ModelClock;

/* One thread of several at work on one image: each computes its band of rows of every layer, and
   all wait for each other after each layer. */
typedef struct ModelTeam {
    int band, bands;             /* 0 .. bands - 1 */
    void *scratch;               /* infer_bytes of this thread's own */
    void (*wait)(void *barrier); /* returns when all bands have called it */
    void *barrier;
} ModelTeam;

/* An optimizer with its numbers; those that it has not are 0. */
typedef struct ModelOptimizer {
    const char *name; /* "adam", as all that settings.c lists */
    double lr, beta1, beta2, eps, weight_decay, momentum, rho, centered, nesterov,
        initial_accumulator;
    double ema; /* of all of them: the part of the parameters' average that an update leaves; 0: no
                   average is kept */
} ModelOptimizer;

/* A learning-rate schedule likewise; train/schedule.h says what each does. */
typedef struct ModelSchedule {
    const char *name; /* "constant", as all that settings.c lists */
    /* epochs 0: as long as the run */
    double warmup, every, epochs, factor, patience, min_delta, cooldown, min_lr;
} ModelSchedule;

/* What the graph's `training` table says; command lines may override. */
typedef struct ModelTraining {
    const char *loss; /* "mse" */
    ModelOptimizer optimizer;
    ModelSchedule schedule;
    int batch, epochs; /* epochs: of all stages together */
    /* of gradients, see compute/clip.h; 0: none */
    double clip_norm, global_clip_norm, clip_value;
    int patience;     /* early stopping after so many epochs without a lower val_loss; 0: none */
    double min_delta; /* lower by more than this */
    int mirror;       /* 1: pictures enter as they are or mirrored, at random */
} ModelTraining;

/* One term of a loss that has several: where it stands among an image's losses, and in which of the
   model's columns users see it, not weighted. Terms of the same column are summed. */
typedef struct ModelTerm {
    int column, place;
} ModelTerm;

enum { MODEL_MAX_COLUMNS = 16 };

/* A parameter whose size is a part of the loss: l1 times the sum of |w|, l2 times that of w^2. */
typedef struct ModelPenalty {
    int parameter;
    double l1, l2;
} ModelPenalty;

/* A parameter of one number that nobody trains: the share of a term's gradient that counts. It goes
   from 0 to 1 in so many epochs, see train/warmup.h. */
typedef struct ModelWarmup {
    int parameter;
    double epochs;
} ModelWarmup;

/* Functions that both the whole network and a stage of its training have; Model says what they
   do. */
typedef double (*ModelLoss)(const void *prepared, const uint8_t *image, void *workspace);
typedef void (*ModelLossMicrobatch)(const void *prepared, const uint8_t *const *images, int n,
                                    double *losses, void *workspace);
typedef void (*ModelBackward)(const void *prepared, const uint8_t *const *images,
                              const uint64_t *noise, int n, real *gradient, double *losses,
                              void *workspace, ModelClock *clock);
typedef void (*ModelReconstruct)(const void *prepared, const uint8_t *image, real *output,
                                 void *workspace, ModelClock *clock);

/* Training where layers take statistics of a group of images, which is a whole batch or so many
   images of one. All images of a group go through a phase before the first goes through the
   next. */
typedef struct ModelPhase {
    int alone;       /* 1: one call takes all images of the group; 0: many threads may share them */
    size_t from, to; /* the reals of the gradient that it adds to: from <= i < to */
} ModelPhase;

typedef struct ModelGroups {
    int over; /* images of a group; the last of a batch takes what is left; 0: a whole batch */
    int loss_places; /* the model's, at least 1 */
    const ModelPhase *phases;
    int phase_count;
    size_t shared_bytes;   /* what a group of n images shares takes n times this */
    size_t shared_at;      /* from here on the place of a step's value (ModelStep) is one in what is
                            shared by a group of one image, in reals from its start */
    const double *momenta; /* one a parameter: of a statistic what an update leaves of it, the rest
                              is the mean of what the update's groups have seen; below 0 of what is
                              none, or rests */
    /* Phase `phase` of images[first .. first + n - 1] of a group of `group` images, in their order,
       n at most `microbatch` where the model has one: what they add to the gradient of the SUM of
       the losses goes to `gradient` (of the whole array; the phase keeps to its part), in a phase
       that comes to it their losses to losses[first .. first + n - 1]. A phase that is alone gets
       first 0 and n `group`. noise, workspace, clock: as of backward_chunk; `shared` is the
       group's. Of a statistic, which updates leave alone, the gradient is what the group has seen
       of it. */
    void (*run)(int phase, const void *prepared, const uint8_t *const *images,
                const uint64_t *noise, int group, int first, int n, real *gradient, double *losses,
                void *shared, void *workspace, ModelClock *clock);
} ModelGroups;

/* A stage of training: layers that are trained while all others rest, an autoencoder of their
   own. */
typedef struct ModelStage {
    const char *title; /* "encoder.conv1 to encoder.pool1, decoder.conv3 to decoder.up3"; of the
                          last "all layers" */
    const char *loss_name;
    int epochs;
    const unsigned char *trains; /* one a parameter: 1 where the stage trains it */
    const ModelStep *steps;      /* marked by backward_chunk */
    int step_count;
    ModelLoss loss;
    ModelBackward backward_chunk;        /* adds to the gradients of what the stage trains, and to
                                            no other */
    ModelReconstruct reconstruct;        /* through the layers that this stage and those before it
                                            train; marks no clock, but for the last stage */
    ModelLossMicrobatch loss_microbatch; /* NULL where the model's is */
    const ModelTerm *terms;              /* of the stage's loss, where the model has columns */
    int term_count;
    const ModelGroups *groups; /* not NULL: instead of backward_chunk */
} ModelStage;

typedef struct Model {
    const char *name;        /* "cae", a C identifier */
    const char *graph;       /* the graph file as it was named to caec */
    const char *target;      /* "x86-64-v4", ... */
    const char *version;     /* of the caec that wrote this model */
    const char *fingerprint; /* hash of what the network computes, whatever the target: a run goes
                                on with that very network alone */
    const char *summary;     /* the table of layers, ready to print, ends in a newline */

    ModelShape input, latent, output; /* input and output are rank 3 and equal */
    int latent_is_normal; /* 1: training draws the latents of all pictures together towards standard
                             normal numbers, so that such numbers decode to pictures */
    const ModelParameter *parameters;
    int parameter_count;
    const unsigned char *trains; /* one a parameter: 0 where it is not trained: its gradient is 0,
                                    and updates leave it alone; NULL: all are trained */
    size_t parameter_reals;      /* length of the flat array */
    int output_kernel; /* index of the kernel whose layer makes the output and whose channels
                               can be born dead (the bias, if any, follows it); -1 where that cannot
                               happen */
    int output_block;  /* > 1: those channels have become blocks of so many pixels a side
                         (depth_to_space), block row by block row; else they are the output's */
    int output_moved;  /* 1: a dead channel is some constant there, which need not be 0 */
    size_t prepared_bytes, infer_bytes, train_bytes; /* workspaces are for one thread */
    size_t memory_limit; /* bytes that training may take, pictures apart; 0: no limit */
    /* 1: the limit leaves no room for sums of chunks; one thread adds gradients to their total at
       once */
    int accumulates_in_place;
    double forward_macs, train_macs; /* multiply-adds of the direct algorithm for one image */

    const ModelStep *infer_steps; /* marked by reconstruct, and by encode and decode where there is
                                     a decode */
    int infer_step_count;
    const ModelStep *train_steps; /* marked by backward_chunk */
    int train_step_count;
    ModelTraining training;
    const ModelStage *stages; /* what is trained one after another; the last is the whole network.
                                 None: it is trained as a whole at once */
    int stage_count;

    /* 1 where this processor has every instruction the model was compiled for. Safe to call on any
       processor. */
    int (*supported)(void);

    /* Brings the flat parameters into the kernels' own packings: prepared_bytes at `prepared`. Call
       it after every update; where more updates come before anything but training is asked for,
       prepare_training does, which leaves out what training does not read. NULL: it reads all. */
    void (*prepare)(const real *parameters, void *prepared);
    void (*prepare_training)(const real *parameters, void *prepared);

    /* One image to its latent / a latent to its output / both. `workspace` has infer_bytes; `clock`
       may be NULL. decode is NULL where the decoder reads more of the encoder than the latent. */
    void (*encode)(const void *prepared, const uint8_t *image, real *latent, void *workspace,
                   ModelClock *clock);
    void (*decode)(const void *prepared, const real *latent, real *output, void *workspace,
                   ModelClock *clock);
    ModelReconstruct reconstruct;

    /* One image by a team: called by each of its threads, with the same arguments but for `team`.
       The results have the same bits. `workspace` is the team's, of infer_bytes. NULL: this model
       cannot be divided. */
    void (*encode_band)(const void *prepared, const uint8_t *image, real *latent, void *workspace,
                        const ModelTeam *team);
    void (*decode_band)(const void *prepared, const real *latent, real *output, void *workspace,
                        const ModelTeam *team);
    void (*reconstruct_band)(const void *prepared, const uint8_t *image, real *output,
                             void *workspace, const ModelTeam *team);

    /* The loss of one image (a mean over its values). `workspace` has train_bytes. */
    ModelLoss loss;

    /* Where the loss of the network, or of a stage, is a sum of weighted terms: each image then has
       loss_places doubles among `losses`, its loss, then what it is the sum of. 0: it has its loss
       alone. */
    int loss_places;
    const char *const *columns; /* names of the terms that users see, at most MODEL_MAX_COLUMNS */
    int column_count;           /* 0: the loss is one term */
    const ModelTerm *terms;     /* of the whole network's loss */
    int term_count;
    /* What the loss takes of the parameters besides, which these functions leave out: see
       penalty.h. Columns of its two parts, -1: none has it */
    const ModelPenalty *penalties;
    int penalty_count, l1_column, l2_column;
    const ModelWarmup *warmups;
    int warmup_count;

    /* Forward and backward of n images, any number, in their order: adds the gradient of the SUM of
       their losses to gradient[parameter_reals] and writes each image's loss to losses[0..n-1], or
       loss_places doubles an image.
       Layers that are active in training alone (noise, dropout) draw from noise[i], any number, for
       image i; 0, or `noise` NULL: they hand on what they get, as they do in all the other
       functions. `workspace` has train_bytes; `clock` may be NULL: of one image it is asked once at
       the start and once after each step, in the order of the table, while the step's value is
       still there. The result depends on the order of the images and these numbers and on nothing
       else. */
    ModelBackward backward_chunk;

    /* Not NULL: images of a group depend on each other in training, which these functions do
       instead of backward_chunk, which is NULL. `loss` is then that of inference. */
    const ModelGroups *groups;

    /* Of models whose dense layers take several images in one product: up to `microbatch` images at
       once, values one image after another. Else microbatch is 0 and these are NULL, but for
       loss_microbatch where an image has several loss_places: it then takes any number of images.
       Sums may be rounded differently than one image alone has them, and differently for other
       n. */
    int microbatch;
    void (*encode_microbatch)(const void *prepared, const uint8_t *const *images, int n,
                              real *latents, void *workspace, ModelClock *clock);
    void (*decode_microbatch)(const void *prepared, const real *latents, int n, real *outputs,
                              void *workspace, ModelClock *clock);
    void (*reconstruct_microbatch)(const void *prepared, const uint8_t *const *images, int n,
                                   real *outputs, void *workspace, ModelClock *clock);
    ModelLossMicrobatch loss_microbatch;
} Model;

extern const Model caec_model;

#endif
