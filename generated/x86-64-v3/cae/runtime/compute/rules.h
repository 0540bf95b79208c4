/* rules.h - the arithmetic of an update on ranges of numbers, and nothing else: optimizer.c and
 * clip.c run it over a model's parameters, and the library output of caec carries this very file.
 * Whoever includes it has the types `real`, size_t and ModelOptimizer (the numbers of all
 * optimizers by name, as model.h has them), sqrt of a double and real_sqrt of a real.
 *
 * An optimizer NAME is a function NAME_update here and its row in OPTIMIZER_RULES. */
#ifndef CAEC_RULES_H
#define CAEC_RULES_H

/* What the number of updates alone decides, of so many updates. */
typedef struct Course {
    double beta1_power, beta2_power; /* beta1 and beta2, of optimizers that have them, to the power
                                         of the updates */
    double warming_power;            /* 0.96, likewise */
    double warming;         /* 1 - half of that: how far the momentum of nadam is warmed up */
    double warming_product; /* of all updates */
} Course;

/* Before the first update, and with one more. */
static inline Course course_begin(void)
{
    return (Course){
        .beta1_power = 1, .beta2_power = 1, .warming_power = 1, .warming = 0.5, .warming_product = 1
    };
}

static inline Course course_next(Course course, const ModelOptimizer *numbers)
{
    course.beta1_power *= numbers->beta1;
    course.beta2_power *= numbers->beta2;
    course.warming_power *= 0.96;
    course.warming = 1 - course.warming_power / 2;
    course.warming_product *= course.warming;
    return course;
}

/* One update: all that counts beside the parameters, their gradient and the optimizer's state. */
typedef struct Update {
    const ModelOptimizer *numbers; /* lr is this update's */
    Course course;                 /* of the updates so far with this one */
    double scale;                  /* the gradient is gradient * scale */
} Update;

/* Updates n parameters w. state: what the optimizer keeps of them, in the order of its row in
   settings.c, NULL where its numbers ask for none. */
typedef void UpdateRule(const Update *update, size_t n, real *w, real *const *state,
                        const real *gradient);

/* ---- adam, adamw ----
 *     adam     m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,
 *              a = lr sqrt(1 - b2^t) / (1 - b1^t),   w = w - a m / (sqrt(v) + eps)
 *     adamw    w = w - lr weight_decay w, then as adam
 * t counts updates from 1. Adam: Kingma and Ba 2015, the form before section 2.1; AdamW:
 * Loshchilov and Hutter 2019. */

typedef struct Adam {
    real beta1, one_minus_beta1, beta2, one_minus_beta2, rate, eps, scale;
    real keep; /* 1 - lr * weight_decay */
} Adam;

static inline Adam adam_numbers(const Update *u)
{
    const ModelOptimizer *o = u->numbers;
    double rate = o->lr * sqrt(1 - u->course.beta2_power) / (1 - u->course.beta1_power);
    return (Adam){ (real)o->beta1, (real)(1 - o->beta1),
                   (real)o->beta2, (real)(1 - o->beta2),
                   (real)rate,     (real)o->eps,
                   (real)u->scale, (real)(1 - o->lr * o->weight_decay) };
}

static inline void adam_range(Adam a, size_t n, real *restrict w, real *restrict m,
                              real *restrict v, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        real g = gradient[i] * a.scale;
        m[i] = a.beta1 * m[i] + a.one_minus_beta1 * g;
        v[i] = a.beta2 * v[i] + a.one_minus_beta2 * g * g;
        w[i] -= a.rate * m[i] / (real_sqrt(v[i]) + a.eps);
    }
}

static inline void adamw_range(Adam a, size_t n, real *restrict w, real *restrict m,
                               real *restrict v, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++)
        w[i] *= a.keep;
    adam_range(a, n, w, m, v, gradient);
}

static inline void adam_update(const Update *u, size_t n, real *w, real *const *state,
                               const real *gradient)
{
    adam_range(adam_numbers(u), n, w, state[0], state[1], gradient);
}

static inline void adamw_update(const Update *u, size_t n, real *w, real *const *state,
                                const real *gradient)
{
    adamw_range(adam_numbers(u), n, w, state[0], state[1], gradient);
}

/* ---- sgd ----
 *                 m = momentum m - lr g,   w = w + m
 *     nesterov    w = w + momentum m - lr g instead, with this update's m */

/* rate: lr * scale */
static inline void sgd_range(real momentum, real rate, size_t n, real *restrict w, real *restrict m,
                             const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - rate * gradient[i];
        w[i] += m[i];
    }
}

static inline void nesterov_range(real momentum, real rate, size_t n, real *restrict w,
                                  real *restrict m, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        const real step = rate * gradient[i];
        m[i] = momentum * m[i] - step;
        w[i] += momentum * m[i] - step;
    }
}

static inline void sgd_update(const Update *u, size_t n, real *w, real *const *state,
                              const real *gradient)
{
    const ModelOptimizer *o = u->numbers;
    const real momentum = (real)o->momentum, rate = (real)(o->lr * u->scale);
    if (o->nesterov != 0)
        nesterov_range(momentum, rate, n, w, state[0], gradient);
    else
        sgd_range(momentum, rate, n, w, state[0], gradient);
}

/* ---- rmsprop ----
 *     v = rho v + (1 - rho) g^2,   d = v + eps
 *     centered       a = rho a + (1 - rho) g,   d = v - a^2 + eps
 *                    w = w - lr g / sqrt(d)
 *     momentum > 0   m = momentum m + lr g / sqrt(d),   w = w - m
 * v - a^2 is no less than 0 but for its rounding, which must not reach the root. */

typedef struct Rmsprop {
    real rho, one_minus_rho, momentum, rate, eps, scale;
} Rmsprop;

/* m, mean: NULL without momentum, where it is not centered */
static inline void rmsprop_range(Rmsprop r, size_t n, real *restrict w, real *restrict v,
                                 real *restrict m, real *restrict mean,
                                 const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        real g = gradient[i] * r.scale;
        v[i] = r.rho * v[i] + r.one_minus_rho * g * g;
        real d = v[i];
        if (mean) {
            mean[i] = r.rho * mean[i] + r.one_minus_rho * g;
            d -= mean[i] * mean[i];
            d = d > 0 ? d : 0;
        }
        real step = r.rate * g / real_sqrt(d + r.eps);
        if (m)
            step = m[i] = r.momentum * m[i] + step;
        w[i] -= step;
    }
}

static inline void rmsprop_update(const Update *u, size_t n, real *w, real *const *state,
                                  const real *gradient)
{
    const ModelOptimizer *o = u->numbers;
    const Rmsprop r = { (real)o->rho, (real)(1 - o->rho), (real)o->momentum,
                        (real)o->lr,  (real)o->eps,       (real)u->scale };
    rmsprop_range(r, n, w, state[0], state[1], state[2], gradient);
}

/* ---- adagrad: v = v + g^2, from initial_accumulator on,   w = w - lr g / sqrt(v + eps) ---- */

static inline void adagrad_range(real rate, real eps, real scale, size_t n, real *restrict w,
                                 real *restrict v, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        const real g = gradient[i] * scale;
        v[i] += g * g;
        w[i] -= rate * g / real_sqrt(v[i] + eps);
    }
}

static inline void adagrad_update(const Update *u, size_t n, real *w, real *const *state,
                                  const real *gradient)
{
    const ModelOptimizer *o = u->numbers;
    adagrad_range((real)o->lr, (real)o->eps, (real)u->scale, n, w, state[0], gradient);
}

/* ---- adadelta ----
 *     v = rho v + (1 - rho) g^2,   step = g sqrt(d + eps) / sqrt(v + eps)
 *     d = rho d + (1 - rho) step^2,   w = w - lr step */

typedef struct Adadelta {
    real rho, one_minus_rho, rate, eps, scale;
} Adadelta;

static inline void adadelta_range(Adadelta a, size_t n, real *restrict w, real *restrict v,
                                  real *restrict d, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        const real g = gradient[i] * a.scale;
        v[i] = a.rho * v[i] + a.one_minus_rho * g * g;
        const real step = real_sqrt(d[i] + a.eps) * g / real_sqrt(v[i] + a.eps);
        d[i] = a.rho * d[i] + a.one_minus_rho * step * step;
        w[i] -= a.rate * step;
    }
}

static inline void adadelta_update(const Update *u, size_t n, real *w, real *const *state,
                                   const real *gradient)
{
    const ModelOptimizer *o = u->numbers;
    const Adadelta a = { (real)o->rho, (real)(1 - o->rho), (real)o->lr, (real)o->eps,
                         (real)u->scale };
    adadelta_range(a, n, w, state[0], state[1], gradient);
}

/* ---- nadam ----
 *     u_t = beta1 (1 - 0.96^t / 2),   U_t = u_1 u_2 ... u_t
 *     m and v as adam,   w = w - lr (u_t+1 m / (1 - U_t+1) + (1 - u_t) g / (1 - U_t))
 *                                / (sqrt(v / (1 - b2^t)) + eps) */

typedef struct Nadam {
    real beta1, one_minus_beta1, beta2, one_minus_beta2, rate_m, rate_g, unbias, eps, scale;
} Nadam;

static inline Nadam nadam_numbers(const Update *u)
{
    const ModelOptimizer *o = u->numbers;
    const Course c = u->course, next = course_next(c, o);
    const double rate_m = o->lr * o->beta1 * next.warming
                          / (1 - next.beta1_power * next.warming_product);
    const double rate_g = o->lr * (1 - o->beta1 * c.warming)
                          / (1 - c.beta1_power * c.warming_product);
    return (Nadam){ (real)o->beta1,
                    (real)(1 - o->beta1),
                    (real)o->beta2,
                    (real)(1 - o->beta2),
                    (real)rate_m,
                    (real)rate_g,
                    (real)(1 / (1 - c.beta2_power)),
                    (real)o->eps,
                    (real)u->scale };
}

static inline void nadam_range(Nadam a, size_t n, real *restrict w, real *restrict m,
                               real *restrict v, const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        const real g = gradient[i] * a.scale;
        m[i] = a.beta1 * m[i] + a.one_minus_beta1 * g;
        v[i] = a.beta2 * v[i] + a.one_minus_beta2 * g * g;
        w[i] -= (a.rate_m * m[i] + a.rate_g * g) / (real_sqrt(v[i] * a.unbias) + a.eps);
    }
}

static inline void nadam_update(const Update *u, size_t n, real *w, real *const *state,
                                const real *gradient)
{
    nadam_range(nadam_numbers(u), n, w, state[0], state[1], gradient);
}

/* ---- all of them ---- */

/* clang-format off */
#define OPTIMIZER_RULES(RULE) \
    RULE(adam)                \
    RULE(adamw)               \
    RULE(sgd)                 \
    RULE(rmsprop)             \
    RULE(adagrad)             \
    RULE(adadelta)            \
    RULE(nadam)
/* clang-format on */

/* ---- clipping, see clip.h ---- */

/* Sixteen sums in a fixed order, so that a vector works on them and the bits do not depend on its
   width. */
static inline double sum_of_squares(const real *gradient, size_t count)
{
    double part[16] = { 0 }, sum = 0;
    size_t whole = count - count % 16;
    for (size_t i = 0; i < whole; i += 16)
        for (int l = 0; l < 16; l++)
            part[l] += (double)gradient[i + (size_t)l] * (double)gradient[i + (size_t)l];
    for (size_t i = whole; i < count; i++)
        part[i - whole] += (double)gradient[i] * (double)gradient[i];
    for (int l = 0; l < 16; l++)
        sum += part[l];
    return sum;
}

/* Scales gradient * scale down to a Euclidean norm of at most `most`. */
static inline void clip_to_norm(real *gradient, size_t count, double scale, double most)
{
    double norm = sqrt(sum_of_squares(gradient, count)) * scale;
    if (!(norm > most))
        return;
    real factor = (real)(most / norm);
    for (size_t i = 0; i < count; i++)
        gradient[i] *= factor;
}

static inline void clip_to_value(real *gradient, size_t count, real most)
{
    for (size_t i = 0; i < count; i++)
        gradient[i] = gradient[i] < -most ? -most : gradient[i] > most ? most : gradient[i];
}

#endif
