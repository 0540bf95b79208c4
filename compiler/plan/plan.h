/* plan.h - every decision: which kernel computes what, in which order, where its values lie. */
#ifndef CAEC_PLAN_H
#define CAEC_PLAN_H

#include "../base/text.h"
#include "../kernels/kernel.h"
#include "tuning.h"

/* A value in the workspace, or a step's scratch memory. A value that is computed again has another buffer from there on. */
typedef struct Buffer {
    const Node *node;           /* NULL: scratch of step `first` */
    const char *name;           /* C name */
    size_t bytes, offset;
    int first, last;            /* steps from which and up to which it lives */
    int made;                   /* the step that writes it first */
    int before;                 /* place of the buffer that the value had before; -1: none */
    int copies;                 /* one an image of the group, or 1: the images use it one after another */
    bool sum;                   /* kept over the images of a chunk */
} Buffer;

/* Of a stream: rows of one value, of which only the last few exist, each padded with zeros as its reader wants it. */
typedef struct Ring {
    const Node *node;
    int rows, depth;            /* of the whole value; that exist */
    int left, room;             /* reals before the first pixel, and from one row to the next */
    size_t offset;              /* in reals */
} Ring;

/* One thing that the emitted code can do: a list of steps and a workspace. */
typedef struct Program {
    const char *name;           /* "train", "encode", "decode", "reconstruct", "stream"; those of phases are said below */
    int phase;                  /* 0: of the whole network */
    Step **steps;
    int count;
    Buffer *buffers;
    int buffer_count;
    int *latest;                /* by node: place of the last buffer of its value, counted from 1; 0: none */
    int *scratch_at;            /* by step: place of its scratch memory, counted likewise */
    size_t bytes;
    int *run;                   /* of each step: the number of the run it belongs to, see plan_runs */
    const Node *given;          /* value that the caller hands in besides the image: the latent, of decode; else NULL */
    const Node *result;         /* value that the caller gets: latent, output; NULL: gradients and loss. All these are storage nodes */
    Ring *rings;                /* stream: the image's, then one for what each step leaves behind */
    int latent_ring;
    size_t scratch;             /* where the steps' scratch memory lies behind the rings, in reals; 0: none needs any */
    int forward_count;          /* training: steps up to and including the loss */
} Program;

/* What was given up to stay within --memory-limit; in the order in which limit.c chose. */
typedef struct Change {
    enum { CHANGE_ORDER, CHANGE_STRAIGHT, CHANGE_GROUP, CHANGE_KERNEL, CHANGE_REPEAT, CHANGE_LATE } kind;
    int group;                  /* GROUP: images at once */
    const char *stage;          /* KERNEL: takes the place of another in ... */
    bool backward;              /* ... dX and dW, or the forward half, of this stage */
    const Kernel *kernel;
    const Node *core, *reader;  /* REPEAT: the step with this core is done again before the step with that one. KERNEL: the stage's core */
    int place;                  /* REPEAT: of the reader, while the change is looked for */
    bool exact;                 /* while changes are tried: it saves `bytes`, not just so many at most */
    const Node *parameter;      /* LATE: its turned form is made before each dX instead of once an update */
    size_t bytes;               /* saved by it, after those before it */
    double cost;                /* estimated cycles (microseconds where kernels were measured) an image that it adds */
} Change;

/* --kernel STAGE[.PASS]=NAME */
typedef struct Force {
    const char *stage, *pass, *kernel;      /* pass NULL: all */
    bool used;
} Force;

typedef struct Plan {
    const Graph *graph;
    Settings settings;
    Force *forces;
    int force_count;
    const Tuning *tuning;       /* NULL: the cost model alone */
    Program train, encode;
    Program decode;             /* latent to output; where the decoder reads more than the latent, it is "reconstruct": image to output, nothing given */
    Program stream;             /* with settings.stream, instead of these two: image to output, the latent on the way, every step a row at a time */
    Program *phases;            /* training of each phase but the last, which is `train`: "train stage 1", ... */
    Program *sights;            /* and image to output through the layers trained so far: "reconstruct stage 1" */
    int phase_count;
    Form **forms;
    int form_count;
    Form **late_forms;          /* of steps that make theirs themselves */
    int late_count;
    size_t prepared_reals;
    size_t training_reals;      /* of the forms that are for training alone */
    int group;                  /* images that go through the programs together; 1 where no step wants more */
    const Change *changes;
    int change_count;
    bool straight;              /* the trainer adds gradients to their total at once: no room for sums of chunks, so one thread alone */
    const Step **functions;     /* one step for each C function to emit */
    int function_count;
} Plan;

/* Requires a grouped graph. Ends the program with a message where a forced kernel is unknown, fits nothing or names no stage, or where the measured
   times are of another target. */
Plan *plan_make(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning);

/* The plan with these changes made, whatever the limit is. */
Plan *plan_changed(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning, const Change *changes, int change_count);

/* Its two beginnings: a plan whose programs have no steps yet, and the steps of one of them before any change but that of kernels. */
Plan *plan_open(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning, const Change *changes, int change_count);
void plan_program(Plan *plan, Program *program);

/* limit.c: a plan whose training, on one thread, stays within settings.memory_limit. Ends the program with a message, which names the smallest limit
   that works, where there is none. */
Plan *plan_limited(const Graph *graph, Settings settings, const Force *forces, int force_count, const Tuning *tuning);

/* Bytes of training by so many threads, as runtime/train/trainer.c allocates them; of a library what its user hands over. Pictures apart. */
size_t plan_training_bytes(const Plan *plan, int threads);

/* What training costs an image: estimated cycles, microseconds where kernels were measured. */
double plan_training_cost(const Plan *plan);

/* What the step of a program costs, dX with it where it is taken in. */
double plan_step_cost(const Plan *plan, const Step *step);

/* choose.c: steps of one program, computing `roots`; `given` is not computed but handed in. */
void plan_steps(Plan *plan, Program *program, Node *const *roots, int root_count);

/* What it knows on its way through the nodes, from the last to the first; and what it does at one of them. By node: */
typedef struct StepWalk {
    bool *needed, *computed;    /* whether any step reads it, or a root is; whether a step leaves it behind */
    Step **at;                  /* the step with it at its core */
} StepWalk;

void plan_step_at(const Plan *plan, const Program *program, const Node *node, StepWalk *walk);

/* change.c: the user's forces, and one for each pass whose kernel plan->changes change; the changes of a training program's steps. */
void plan_set_forces(Plan *plan, const Force *forces, int force_count);
void plan_change_steps(const Plan *plan, Program *program);

/* Of these the ones that only change the order of steps and repeat some: steps themselves stay as they are. The repeating one of a step. By node, which
   parameters are to be turned late, NULL: none. */
void plan_change_order(const Plan *plan, Program *program);
Step *plan_again(Step *step);
bool *plan_late_parameters(const Plan *plan);

/* Whether two forms are one, before they have names and places; whether two steps do the same to the same. */
bool plan_same_form(const Form *a, const Form *b);
bool plan_same_step(const Step *a, const Step *b);

/* Where a step's late form lies in its scratch memory, in reals: behind what the kernel works in. */
size_t plan_late_place(const Settings *settings, const Step *step);

/* Reals that a form has room for among the prepared weights. */
size_t plan_form_room(const Settings *settings, const Form *form);

/* functions.c: gives each step of all programs its forms and its function. Steps of inference that do just what a step of training does share its function;
   the names of others end in _infer, those of a stream in _row. In a plan of many steps layers that do the same share one too. */
void plan_functions(Plan *plan);

/* stream.c: the program `stream`, its rings and their memory. Ends the program with a message at the layer that cannot work by rows. */
void plan_stream(Plan *plan);

/* A group spreads the reading of a dense layer's weights, and OpenBLAS's packing of them, over its images; more images gain little, and leave large batches in
   fewer chunks for threads. The values of a group stay within the limit as long as two images do. */
/* group.c: chooses plan->group and lays out the memory of all programs. In a group, steps that work on one image stand in runs: all steps of a run for the
   first image, then all for the next. A grouped step is a run of its own, and a run ends with the loss. */
enum { GROUP_MOST = 32, GROUP_LEAST = 2, GROUP_BYTES = 128 << 20 };

int plan_first_group(const Plan *plan);         /* with which the search for plan->group begins; it halves it while a workspace takes more than GROUP_BYTES */
void plan_group(Plan *plan);
void plan_runs(Program *program);
bool plan_is_grouped(const Plan *plan);

/* Whether any step calls OpenBLAS. */
bool plan_uses_openblas(const Plan *plan);

/* memory.c: buffers and offsets, of a stream none; first fit by falling size, buffers whose lives meet never overlap. */
void plan_memory(const Plan *plan, Program *program);

/* Its two halves: buffers with their lives and sizes; and their offsets, and the bytes of the whole. Between them a bound: the bytes of the values that live
   at the same step, below which no offsets come. */
void plan_lives(const Plan *plan, Program *program);
void plan_offsets(Program *program);
size_t plan_least_bytes(const Program *program);

/* The C names of the buffers, of a plan that stays. */
void plan_name_buffers(const Plan *plan, Program *program);

/* Where the step at that place finds or leaves the value; NULL: not in the workspace. And the step's scratch memory. */
const Buffer *plan_value_at(const Program *program, int place, const Node *node);
const Buffer *plan_scratch_at(const Program *program, int place);

/* The form that the step could read late: blocks turned for dX, where the step has scratch memory to make them in; NULL: none. */
Form *plan_turned_form(const Step *step);

/* How many numbers of its C type a value of one image takes: as many as its shape says, but codes lie packed. */
size_t plan_value_count(const Node *node);

/* print.c */
void plan_print(Text *out, const Plan *plan);           /* --dump plan */
void plan_print_memory(Text *out, const Plan *plan);    /* --memory */
void plan_print_limit(Text *out, const Plan *plan);     /* what --memory-limit cost; nothing without it */

bool plan_decodes(const Plan *plan);                    /* whether the decoder needs the latent alone */
bool plan_is_gradient(const Node *node);                /* of a parameter: lies in the caller's gradient array */

/* All programs in a fixed order: train, encode, decode, then of each phase training and the picture. Returns how many. */
int plan_programs(const Plan *plan, Program ***programs);

/* Whether forms for training are others than those for inference, in memory of their own: of a stream, whose kernels read others, and where those for
   inference are baked. */
bool plan_forms_apart(const Plan *plan);

/* What the names of emitted functions begin with: nothing, or "<model>_" in a library. */
const char *plan_prefix(const Plan *plan);

/* "encoder.conv1" -> "encoder_conv1" */
const char *plan_identifier(const char *name);

/* The graph file's name without its folder, as it stands in comments and strings of C: other characters than letters, digits and . _ - become _ . */
const char *plan_graph_file(const Graph *graph);

#endif
