/* plan.h - every decision: which kernel computes what, in which order, where its values lie.
 *
 * A plan is opened, gets the steps of its programs, and is finished (assemble.h); what a memory
 * limit takes is done in between (budget/). A step is written by the function that makes it and by
 * nobody after: choose.c makes the steps, with what their kernels say; who wants one changed (fewer
 * rows of a stream, a value recomputed, a packing made on use) puts another in its place. The last
 * to do so is functions.c, which makes of each the one that is emitted, with its function's name
 * and packings in their places. */
#ifndef CAEC_PLAN_H
#define CAEC_PLAN_H

#include "../base/text.h"
#include "../kernels/kernel.h"
#include "tuning.h"

/* A value in the workspace, or a step's scratch memory. A value that is recomputed has another
   buffer from there on. */
typedef struct Buffer {
    const Node *node; /* NULL: scratch of step `first` */
    const char *name; /* C name */
    size_t bytes, offset;
    int first, last; /* steps from which and up to which it lives */
    int made;        /* the step that writes it first */
    int before;      /* place of the buffer that the value had before; -1: none */
    int copies;      /* one for each image of the microbatch, or 1: the images use it one after
                        another */
    bool sum;        /* kept over the images of a chunk */
    bool shared;     /* it lies in the memory of the group, where every image has so many bytes */
} Buffer;

/* Of a stream: rows of one value, of which only the last few exist, each padded with zeros as its
   reader wants it. */
typedef struct Ring {
    const Node *node;
    int rows, depth; /* of the whole value; that exist */
    int left, room;  /* reals before the first pixel, and from one row to the next */
    size_t offset;   /* in reals */
} Ring;

/* One thing that the emitted code can do: a list of steps and a workspace. */
typedef struct Program {
    const char *name; /* "train", "encode", "decode", "reconstruct", "stream"; those of stages are
                         said below */
    int stage;        /* 0: of the whole network */
    const Step **steps;
    int count;
    Buffer *buffers;
    int buffer_count;
    int *latest;     /* by node: place of the last buffer of its value, counted from 1; 0: none */
    int *scratch_at; /* by step: place of its scratch memory, counted likewise */
    size_t bytes;
    int *segment;    /* of each step: the number of its segment, see plan_segments */
    int *phase;      /* likewise, of its phase; all 0 where images do not meet */
    int phase_count; /* 1: images do not meet */
    bool grouped;    /* training of a network where they do */
    size_t
        shared_bytes;   /* of one image, in the memory of the group: values that one phase leaves to
                            others */
    const Node *given;  /* value that the caller hands in besides the image: the latent, of decode;
                           else NULL */
    const Node *result; /* value that the caller gets: latent, output; NULL: gradients and loss. All
                           these are storage nodes */
    Ring *rings;        /* stream: the image's, then one for what each step leaves behind */
    int latent_ring;
    size_t scratch;    /* where the steps' scratch memory lies after the rings, in reals; 0: none
                          needs any */
    int forward_count; /* training: steps up to and including the loss */
} Program;

/* --kernel LAYER[.DIRECTION]=NAME: a fusion bears the name of its core's layer */
typedef struct Force {
    const char *fusion, *direction, *kernel; /* direction NULL: all */
    bool used;
} Force;

typedef struct Plan {
    const Graph *graph;
    Settings settings;
    Force *forces;
    int force_count;
    const Tuning *tuning; /* NULL: the cost model alone */
    Program train, encode;
    Program evaluate;  /* image to the loss of inference, where that is not the first half of
                              training; else without steps */
    Program decode;    /* latent to output; where the decoder reads more than the latent, it is
                          "reconstruct": image to output, nothing given */
    Program stream;    /* with settings.stream, instead of these two: image to output, the latent on
                          the way, every step a row at a time */
    Program *stages;   /* training of each stage but the last, which is `train`: "train stage 1",
                          ... */
    Program *previews; /* and image to output through the layers trained so far: "reconstruct stage
                          1" */
    Program *evaluations; /* and image to loss, likewise */
    int stage_count;
    int loss_places; /* see terms_places() */
    const Packing **packings;
    int packing_count;
    const Packing **on_use_packings; /* of steps that make theirs when they use it */
    int on_use_count;
    size_t prepared_reals;
    size_t scaling_at, scaling_reals; /* memory at the end of these, where prepare() makes a kernel
                                         or bias before it is packed, see Packing.from; 0: there are
                                         none */
    size_t training_reals;            /* of the packings that are for training alone */
    int microbatch;         /* images that go through the programs together; 1 where no step wants
                              more */
    int microbatch_at_most; /* with which the search for it begins; 0: as many images as gain
                                  something */
    bool accumulates_in_place; /* the trainer adds gradients to their total at once, without sums of
                                  chunks, so on one thread alone */
    const char *limit_report;  /* what a memory limit took, in words; "": there is none */
    const Step **functions;    /* one step for each C function to emit */
    int function_count;
} Plan;

/* Whether any step calls OpenBLAS. */
bool plan_uses_openblas(const Plan *plan);

/* Whether the decoder needs the latent alone. */
bool plan_decodes(const Plan *plan);

/* Whether validation has a loss of its own. */
bool plan_evaluates(const Plan *plan);

/* Whether the step is of the training of groups, and takes all images of one at once. */
bool step_takes_group(const Step *step);

/* Images of the largest group of a batch. */
int plan_group_images(const Plan *plan);

/* Of a parameter: lies in the caller's gradient array. plan_gradient_of: of which, its
   identifier. */
bool plan_is_gradient(const Node *node);
const char *plan_gradient_of(const Graph *graph, const Node *gradient);

/* Multiply-adds of the direct algorithm for one image. */
double program_macs(const Program *program);

/* All programs in a fixed order: train, then encode and decode or the stream, then of each
   stage training and the preview, then evaluations where there are any. Returns how many. */
int plan_programs(const Plan *plan, Program ***programs);

/* Whether training has packings of its own, in memory of its own: with a stream, whose kernels read
   others, and where those of inference are baked. */
bool plan_packings_apart(const Plan *plan);

/* What the names of emitted functions begin with: nothing, or "<model>_" in a library. */
const char *plan_prefix(const Plan *plan);

/* "encoder.conv1" -> "encoder_conv1" */
const char *plan_identifier(const char *name);

/* The graph file's name without its folder, as it stands in comments and strings of C: other
   characters than letters, digits and . _ - become _ . */
const char *plan_graph_file(const Graph *graph);

#endif
