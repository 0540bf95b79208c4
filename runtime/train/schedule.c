#include "schedule.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static bool is(const ModelSchedule *schedule, const char *name)
{
    return strcmp(schedule->name, name) == 0;
}

double schedule_rate(const ModelSchedule *s, const Plateau *plateau, double lr, double begin,
                     double end)
{
    double u = begin - s->warmup;
    if (u < 0)
        return lr * fmin(end / s->warmup, 1);
    if (is(s, "step"))
        return lr * pow(s->factor, floor(u / s->every));
    if (is(s, "cosine"))
        return s->min_lr
               + (lr - s->min_lr) * (1 + cos(pi * fmin(u / (s->epochs - s->warmup), 1))) / 2;
    return is(s, "reduce_on_plateau") ? lr * plateau->scale : lr;
}

uint64_t best_loss_epoch(BestLoss *best, double loss, double min_delta)
{
    if (loss < best->best - min_delta) {
        best->best = loss;
        best->wait = 0;
    } else {
        best->wait++;
    }
    return best->wait;
}

int plateau_epoch(Plateau *plateau, const ModelSchedule *s, double lr, double loss)
{
    if (!is(s, "reduce_on_plateau"))
        return 0;
    if (plateau->cooldown > 0) {
        plateau->cooldown--;
        plateau->best.wait = 0;
    }
    uint64_t wait = best_loss_epoch(&plateau->best, loss, s->min_delta);
    if (plateau->cooldown > 0)
        plateau->best.wait = 0;
    if (plateau->cooldown > 0 || wait < (uint64_t)s->patience || !(lr * plateau->scale > s->min_lr))
        return 0;
    plateau->scale = fmax(plateau->scale * s->factor, s->min_lr / lr);
    plateau->cooldown = (uint64_t)s->cooldown;
    plateau->best.wait = 0;
    return 1;
}
