/* plan.h - every decision: which kernel computes what, in which order, where its values lie. */
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
    Step **steps;
    int count;
    Buffer *buffers;
    int buffer_count;
    int *latest;     /* by node: place of the last buffer of its value, counted from 1; 0: none */
    int *scratch_at; /* by step: place of its scratch memory, counted likewise */
    size_t bytes;
    int *segment;       /* of each step: the number of its segment, see plan_segments */
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

/* What was given up to stay within --memory-limit, in the order in which limit.c chose. */
typedef struct MemorySaving {
    enum {
        SAVING_ORDER,
        SAVING_IN_PLACE,
        SAVING_MICROBATCH,
        SAVING_KERNEL,
        SAVING_RECOMPUTE,
        SAVING_ON_USE
    } kind;
    int microbatch;     /* MICROBATCH: images at once */
    const char *fusion; /* KERNEL: takes the place of another in ... */
    bool backward;      /* ... dX and dW, or the forward half, of this fusion */
    const Kernel *kernel;
    const Node *core, *reader; /* RECOMPUTE: the step with this core is computed again before the
                                  step with that one. KERNEL: the fusion's core */
    int place;                 /* RECOMPUTE: of the reader, while the saving is looked for */
    bool exact;                /* while savings are tried: it saves `bytes`, not just so many at
                                  most */
    const Node *parameter;     /* ON_USE: its turned packing is made before each dX instead of once
                                  an update */
    size_t bytes;              /* saved by it, after those before it */
    double cost;               /* estimated cycles (microseconds where kernels were measured) an
                                  image that it adds */
} MemorySaving;

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
    Program decode;    /* latent to output; where the decoder reads more than the latent, it is
                          "reconstruct": image to output, nothing given */
    Program stream;    /* with settings.stream, instead of these two: image to output, the latent on
                          the way, every step a row at a time */
    Program *stages;   /* training of each stage but the last, which is `train`: "train stage 1",
                          ... */
    Program *previews; /* and image to output through the layers trained so far: "reconstruct stage
                          1" */
    int stage_count;
    Packing **packings;
    int packing_count;
    Packing **on_use_packings; /* of steps that make theirs when they use it */
    int on_use_count;
    size_t prepared_reals;
    size_t training_reals; /* of the packings that are for training alone */
    int microbatch;        /* images that go through the programs together; 1 where no step wants
                              more */
    const MemorySaving *savings;
    int saving_count;
    bool accumulates_in_place; /* the trainer adds gradients to their total at once, without sums of
                                  chunks, so on one thread alone */
    const Step **functions;    /* one step for each C function to emit */
    int function_count;
} Plan;

/* Requires a fused graph. Ends the program with a message where a forced kernel is unknown, fits
   nothing or names no fusion, or where the measured times are of another target. */
Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning);

/* The plan with these savings, whatever the limit is. */
Plan *plan_with_savings(const Graph *graph, Settings settings, const Force *forces, int force_count,
                        const Tuning *tuning, const MemorySaving *savings, int saving_count);

/* Its two beginnings: a plan whose programs have no steps yet, and the steps of one of them before
   any saving but that of kernels. */
Plan *plan_open(const Graph *graph, Settings settings, const Force *forces, int force_count,
                const Tuning *tuning, const MemorySaving *savings, int saving_count);
void plan_program(Plan *plan, Program *program);

/* limit.c: a plan whose training, on one thread, stays within settings.memory_limit. Ends the
   program with a message, which names the smallest limit that works, where there is none. */
Plan *plan_limited(const Graph *graph, Settings settings, const Force *forces, int force_count,
                   const Tuning *tuning);

/* Bytes of training by so many threads, as runtime/train/trainer.c allocates them; of a library
   what its user hands over. Pictures apart. */
size_t plan_training_bytes(const Plan *plan, int threads);

/* What training costs an image: estimated cycles, microseconds where kernels were measured. */
double plan_training_cost(const Plan *plan);

/* What the step of a program costs, dX with it where it is taken in. */
double plan_step_cost(const Plan *plan, const Step *step);

/* choose.c: steps of one program, computing `roots`; `given` is not computed but handed in. */
void plan_steps(Plan *plan, Program *program, Node *const *roots, int root_count);

/* What it knows on its way through the nodes, from the last to the first; and what it does at one
   of them. By node: */
typedef struct StepWalk {
    bool *needed, *computed; /* whether any step reads it, or a root is; whether a step leaves it
                                behind */
    Step **at;               /* the step with it at its core */
} StepWalk;

void plan_step_at(const Plan *plan, const Program *program, const Node *node, StepWalk *walk);

/* savings.c: the user's forces, and one for each direction whose kernel plan->savings replace; the
   savings among a training program's steps. */
void plan_set_forces(Plan *plan, const Force *forces, int force_count);
void plan_apply_savings(const Plan *plan, Program *program);

/* Of these the ones that only change the order of steps and recompute some: steps themselves stay
   as they are. The step that recomputes a step's value. By node, which parameters are to be turned
   on use, NULL: none. */
void plan_order_steps(const Plan *plan, Program *program);
Step *plan_recomputed(Step *step);
bool *plan_parameters_on_use(const Plan *plan);

/* Whether two packings are one, before they have names and places; whether two steps do the same to
   the same. */
bool plan_same_packing(const Packing *a, const Packing *b);
bool plan_same_step(const Step *a, const Step *b);

/* Where a step's packing made on use lies in its scratch memory, in reals: after what the kernel
   works in. */
size_t plan_on_use_place(const Settings *settings, const Step *step);

/* Reals that a packing has room for among the prepared weights. */
size_t plan_packing_room(const Settings *settings, const Packing *packing);

/* functions.c: gives each step of all programs its packings and its function. Steps of inference
   that do just what a step of training does share its function; the names of others end in _infer,
   those of a stream in _row. In a plan of many steps layers that do the same share one too. */
void plan_functions(Plan *plan);

/* stream.c: the program `stream`, its rings and their memory. Ends the program with a message at
   the layer that cannot work by rows. */
void plan_stream(Plan *plan);

/* A microbatch spreads the reading of a dense layer's weights, and OpenBLAS's packing of them, over
   its images; more images gain little, and leave large batches in fewer chunks for threads. The
   values of a microbatch stay within the limit as long as those of two images do. */
/* microbatch.c: chooses plan->microbatch and lays out the memory of all programs. In a microbatch,
   steps that take one image form segments: all steps of a segment for the first image, then all for
   the next. A batched step is a segment of its own, and a segment ends with the loss. */
enum { MAX_MICROBATCH = 32, MIN_MICROBATCH = 2, MICROBATCH_BYTES = 128 << 20 };

/* with which the search for plan->microbatch begins; it halves it while a workspace takes more than
   MICROBATCH_BYTES */
int plan_first_microbatch(const Plan *plan);
void plan_microbatch(Plan *plan);
void plan_segments(Program *program);
bool plan_is_batched(const Plan *plan);

/* Whether any step calls OpenBLAS. */
bool plan_uses_openblas(const Plan *plan);

/* memory.c: buffers and offsets, of a stream none; first fit by falling size, buffers whose lives
   meet never overlap. */
void plan_memory(const Plan *plan, Program *program);

/* Its two halves: buffers with their lives and sizes; and their offsets, and the bytes of the
   whole. Between them a bound: the bytes of the values that live at the same step, below which no
   offsets come. */
void plan_lives(const Plan *plan, Program *program);
void plan_offsets(Program *program);
size_t plan_least_bytes(const Program *program);

/* The C names of the buffers, of a plan that stays. */
void plan_name_buffers(const Plan *plan, Program *program);

/* Where the step at that place finds or leaves the value; NULL: not in the workspace. And the
   step's scratch memory. */
const Buffer *plan_value_at(const Program *program, int place, const Node *node);
const Buffer *plan_scratch_at(const Program *program, int place);

/* The packing that the step could make on use: blocks turned for dX, where the step has scratch
   memory for them; NULL: none. */
Packing *plan_turned_packing(const Step *step);

/* How many numbers of its C type a value of one image takes: as many as its shape says, but codes
   lie packed. */
size_t plan_value_count(const Node *node);

/* print.c */
void plan_print(Text *out, const Plan *plan);        /* --dump plan */
void plan_print_memory(Text *out, const Plan *plan); /* --memory */
/* what --memory-limit cost; nothing without it */
void plan_print_limit(Text *out, const Plan *plan);

/* whether the decoder needs the latent alone */
bool plan_decodes(const Plan *plan);
/* of a parameter: lies in the caller's gradient array */
bool plan_is_gradient(const Node *node);

/* All programs in a fixed order: train, encode, decode, then of each stage training and the
   picture. Returns how many. */
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
