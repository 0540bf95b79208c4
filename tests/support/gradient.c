/* Gradients against central differences of the losses. */
#include "drive.h"

#include "cases.h"
#include "rng.h"

#include <math.h>
#include <stdlib.h>

typedef struct Slopes {
    Driven *driven;
    const LossSum *sum;
    const double *parameters, *gradient;
    double floor; /* a tensor whose gradient is nowhere larger than this has none that differences
                     could tell from rounding */
} Slopes;

static double losses_at(const Slopes *s, const ModelParameter *p, const double *direction,
                        double step)
{
    drive_move(s->driven, p->offset, p->count, s->parameters, direction, step);
    return s->sum->of(s->sum->context);
}

static double central_difference(const Slopes *s, const ModelParameter *p, const double *direction,
                                 double step)
{
    return (losses_at(s, p, direction, step) - losses_at(s, p, direction, -step)) / (2 * step);
}

static double largest_of(const Slopes *s, const ModelParameter *p)
{
    double largest = 0;
    for (size_t i = 0; i < p->count; i++)
        largest = fmax(largest, fabs(s->gradient[p->offset + i]));
    return largest;
}

/* By values on one side alone, that of `step`. */
static double side_difference(const Slopes *s, const ModelParameter *p, const double *direction,
                              double step)
{
    return (4 * losses_at(s, p, direction, step) - losses_at(s, p, direction, 2 * step)
            - 3 * losses_at(s, p, direction, 0))
           / (2 * step);
}

/* Whether the slope is that of one side: a kink lies so near that central differences see it at any
   step, all of them about half of it. */
static bool is_one_sided(const Slopes *s, const ModelParameter *p, const double *direction,
                         double slope, double bound)
{
    return fabs(side_difference(s, p, direction, 1e-5) - slope) <= bound
           || fabs(side_difference(s, p, direction, -1e-5) - slope) <= bound;
}

/* The slope along a direction of the tensor's numbers against the gradient's; `what` says which.
   Where they differ, a wider step, of which rounding is a tenth, says whether it was rounding; a
   second step size or either side, whether a kink is the reason. */
static void check_direction(const Slopes *s, const ModelParameter *p, const double *direction,
                            double bound, const char *what, GradientCheck *check)
{
    double fine = central_difference(s, p, direction, 1e-5), slope = 0;
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        slope += direction[i] * s->gradient[i];
    check->looked++;
    if (fabs(slope - fine) <= bound
        || fabs(slope - central_difference(s, p, direction, 1e-4)) <= bound)
        return;
    double coarse = central_difference(s, p, direction, 2e-5);
    if (!(fabs(coarse - fine) > bound) && !is_one_sided(s, p, direction, slope, bound))
        fail_msg("the gradient of %s %s is %.12g, by differences %.12g (largest %.3g)", p->name,
                 what, slope, fine, largest_of(s, p));
    check->kinks++;
}

static void check_tensor(const Slopes *s, const ModelParameter *p, size_t parameters,
                         GradientCheck *check)
{
    double largest = largest_of(s, p), *direction = calloc(parameters, sizeof *direction);
    uint64_t signs = p->offset + 1;
    assert_non_null(direction);
    check->tensors++;
    check->dead += !(largest > s->floor);
    if (!(largest > s->floor) && !check->random)
        fail_msg("the gradient of %s is nowhere larger than %.3g", p->name, largest);
    const double bound = check->tolerance * fmax(largest, s->floor);
    const size_t most = (size_t)check->places;
    /* odd, so that it visits all channels */
    size_t every = p->count > most ? p->count / most | 1 : 1;
    for (size_t k = 0; k < p->count; k += every) {
        char *what = text_of("at %zu", k);
        direction[p->offset + k] = 1;
        check_direction(s, p, direction, bound, what, check);
        direction[p->offset + k] = 0;
        free(what);
    }
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        direction[i] = rng_chance(&signs, 50) ? 1 : -1;
    check_direction(s, p, direction, bound * sqrt((double)p->count), "along random signs", check);
    drive_move(s->driven, p->offset, p->count, s->parameters, NULL, 0);
    free(direction);
}

void check_slopes(Driven *d, const double *parameters, const double *gradient, const LossSum *sum,
                  GradientCheck *check)
{
    Slopes s = { d, sum, parameters, gradient, .floor = 1e-4 };
    if (check->random)
        s.floor *= fmax(1, sum->of(sum->context));
    for (int i = 0; i < d->model->parameter_count; i++) {
        const ModelParameter *p = &d->model->parameters[i];
        if (!d->model->trains || d->model->trains[i])
            check_tensor(&s, p, d->model->parameter_reals, check);
        else if (largest_of(&s, p) != 0)
            fail_msg("%s is not trained, but has a gradient", p->name);
    }
}

/* Two images, each by itself. */
typedef struct Pair {
    Driven *driven;
    uint8_t *images[2];
} Pair;

static double sum_of_pair(void *context)
{
    const Pair *pair = context;
    return drive_loss(pair->driven, pair->images[0]) + drive_loss(pair->driven, pair->images[1]);
}

void check_gradient_by(const Net *net, Driven *d, const double *parameters, GradientCheck *check)
{
    Pair pair = { d, { net_image(net, 31), net_image(net, 32) } };
    double losses[2], *gradient = drive_gradient(d, pair.images, 2, NULL, losses);
    for (int i = 0; i < 2; i++)
        if (!(fabs(losses[i] - drive_loss(d, pair.images[i])) <= 1e-14 * losses[i]))
            fail_msg("the loss of a chunk's image is %.17g, alone %.17g", losses[i],
                     drive_loss(d, pair.images[i]));
    check_slopes(d, parameters, gradient, &(LossSum){ sum_of_pair, &pair }, check);
    free(gradient);
    free(pair.images[0]);
    free(pair.images[1]);
}

void check_gradient(const Net *net, Driven *d, const double *parameters, double tolerance)
{
    GradientCheck check = { .tolerance = tolerance, .places = 8 };
    check_gradient_by(net, d, parameters, &check);
    if (check.kinks * 20 > check.looked)
        fail_msg("%d of %d places have a kink nearby", check.kinks, check.looked);
}
