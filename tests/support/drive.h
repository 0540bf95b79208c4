/* drive.h - runs a compiled model in guarded memory and holds it against the naive operators and
   against finite differences. */
#ifndef TEST_DRIVE_H
#define TEST_DRIVE_H

#include "guard.h"
#include "model.h"
#include "net.h"

/* A model with its weights prepared. Every block ends where its memory ends. */
typedef struct Driven {
    const Model *model;
    Guarded prepared, parameters, infer, train, image;
} Driven;

Driven drive_new(const Model *model, const double *parameters);
/* one parameter, and prepares anew */
void drive_set(Driven *driven, int index, double value);
/* Parameters first .. first + count - 1 at values + step * direction (NULL: values); both arrays
   are those of all parameters. */
void drive_move(Driven *driven, size_t first, size_t count, const double *values,
                const double *direction, double step);
void drive_free(Driven *driven);

/* Each fills the workspace with bytes that make no number before the call and checks all bounds
   after it. Results are to be freed. */
double *drive_encode(Driven *driven, const uint8_t *image);
double *drive_decode(Driven *driven, const double *latent);
double *drive_reconstruct(Driven *driven, const uint8_t *image);
/* a thread each */
double *drive_reconstruct_by_bands(Driven *driven, const uint8_t *image, int bands);
double drive_loss(Driven *driven, const uint8_t *image);

/* How many numbers an image has among the losses, its loss first. */
size_t drive_loss_places(const Model *model);

/* Sum of gradients of n images on top of `start` (NULL: zeros), and their losses. */
double *drive_gradient(Driven *driven, uint8_t *const *images, int n, const double *start,
                       double *losses);

/* The largest difference relative to the largest value of `right`; infinite where anything is not a
   number. */
double relative_difference(const double *got, const double *right, size_t count);

/* Holds encode, decode (where the model can), reconstruct and loss against the naive operators, and
   bands of rows against the whole, bit for bit. */
void check_forward(const Net *net, Driven *driven, const double *parameters, const uint8_t *image,
                   double tolerance);

/* Holds the gradient of two images against central differences of their losses, tensor by tensor:
   at up to 8 places of each, and along random signs of all its numbers. What differs is let pass
   only where the differences at two step sizes disagree too or the gradient is that of one side,
   that is where a kink (ReLU, pool) lies
   within the step; of all places at most 5 % may be. In double precision alone. */
void check_gradient(const Net *net, Driven *driven, const double *parameters, double tolerance);

/* What check_gradient_by looks at and lets pass, and what it found (added to what is there). */
typedef struct GradientCheck {
    double tolerance;
    int places;  /* of each tensor at most */
    bool random; /* of a net that nobody chose: a tensor may have no gradient (differences then must
                    find none either), any share of the places kinks */
    int tensors, dead, looked, kinks;
} GradientCheck;

/* A sum of losses by the parameters that a model is driven with. */
typedef struct LossSum {
    double (*of)(void *context);
    void *context;
} LossSum;

/* The gradient of that sum by `parameters`, which the model is driven with before and after. */
void check_slopes(Driven *driven, const double *parameters, const double *gradient,
                  const LossSum *sum, GradientCheck *check);

/* That of two images' losses. */
void check_gradient_by(const Net *net, Driven *driven, const double *parameters,
                       GradientCheck *check);

/* A copy of the model that draws noise, in backward_chunk and loss alike, from numbers made of the
   images' bytes; one model at a time. At most DRAWING_IMAGES a chunk. */
enum { DRAWING_IMAGES = 70 };
Model drawing_model(const Model *model);

/* Of a model with dense layers, which takes images in microbatches: latents, outputs and losses of
   a microbatch are those of its images, and the gradient of a chunk of several microbatches is the
   sum of theirs, within `tolerance` (gradients: of the largest). Returns the largest gradient; 0
   where images of a batch depend on each other, and no gradient is looked at. */
double check_microbatches(const Net *net, Driven *driven, double tolerance);

/* Compiles the net with the options and does both; the tolerances are those of this program's type:
   forward 1e-12 (double) or 1e-5 (float) of the largest value, gradients 1e-6 of the largest. In
   float no gradient is checked. Skips the rest of the test where the machine lacks the target. */
void check_net(const Net *net, const char *target, const char *options);

/* The same with every convolution, or every dense layer, computed by the kernel. */
void check_net_by(const Net *net, const char *target, const char *kernel);

#endif
