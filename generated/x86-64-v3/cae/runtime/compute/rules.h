/* rules.h - the arithmetic of an update on ranges of numbers, and nothing else: optimizer.c and
 * clip.c run it over a model's parameters, and the library output of caec carries this very file.
 * Whoever includes it has the types `real` and size_t, sqrt of a double and real_sqrt of a real. */
#ifndef CAEC_RULES_H
#define CAEC_RULES_H

typedef struct Adam {
    real beta1, one_minus_beta1, beta2, one_minus_beta2, rate, eps, scale;
    real keep; /* 1 - lr * weight_decay */
} Adam;

/* Of an update with the gradient g = gradient * scale; beta1_power is beta1 to the power of t, the
   updates so far with this one, beta2_power likewise. */
static inline Adam adam_numbers(double lr, double beta1, double beta2, double eps,
                                double weight_decay, double beta1_power, double beta2_power,
                                double scale)
{
    double rate = lr * sqrt(1 - beta2_power) / (1 - beta1_power);
    return (Adam){ (real)beta1, (real)(1 - beta1), (real)beta2, (real)(1 - beta2),
                   (real)rate,  (real)eps,         (real)scale, (real)(1 - lr * weight_decay) };
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

/* rate: lr * scale */
static inline void sgd_range(real momentum, real rate, size_t n, real *restrict w, real *restrict m,
                             const real *restrict gradient)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - rate * gradient[i];
        w[i] += m[i];
    }
}

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
