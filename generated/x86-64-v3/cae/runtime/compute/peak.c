#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "peak.h"

#include "model.h"

#include <time.h>

#if defined __GNUC__ && !defined __clang__
/* -std=c11 alone forbids a*b+c in one instruction */
#pragma GCC optimize("fp-contract=fast", "O3")
#endif

#if defined __clang__ && defined __AVX512F__
/* clang splits 64-byte vectors in two unless told that they are meant */
#define WIDE __attribute__((min_vector_width(512)))
#else
#define WIDE
#endif

#if defined __AVX512F__
enum { VECTOR_BYTES = 64, CHAINS = 24 };
#elif defined __AVX__
enum { VECTOR_BYTES = 32, CHAINS = 12 };
#elif defined __aarch64__ || defined __ARM_NEON
enum { VECTOR_BYTES = 16, CHAINS = 24 };
#elif defined __SSE2__ || defined __VSX__
enum { VECTOR_BYTES = 16, CHAINS = 12 };
#else
enum { VECTOR_BYTES = sizeof(real), CHAINS = 8 };
#define NO_VECTORS
#endif

#ifdef NO_VECTORS
typedef real Vector;
#else
typedef real Vector __attribute__((vector_size(VECTOR_BYTES)));
#endif

enum { ROUNDS = 20000, WINDOWS = 5, LANES = VECTOR_BYTES / sizeof(real) };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ROUNDS steps of x = x * a + b in each of CHAINS registers. a < 1, so that x stays near b / (1 -
   a): no infinity, no denormal. The numbers come through volatiles, so that the compiler can
   neither foresee nor drop them. */
static WIDE void run_chains(volatile real *numbers)
{
    Vector x[CHAINS], a = (Vector){ 0 } + numbers[0], b = (Vector){ 0 } + numbers[1], sum = { 0 };

#pragma GCC unroll 32
    for (int c = 0; c < CHAINS; c++)
        x[c] = b + (real)c;
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 32
        for (int c = 0; c < CHAINS; c++)
            x[c] = x[c] * a + b;
    }
#pragma GCC unroll 32
    for (int c = 0; c < CHAINS; c++)
        sum += x[c];
#ifdef NO_VECTORS
    numbers[2] = sum;
#else
    for (int l = 0; l < (int)LANES; l++)
        numbers[2] = sum[l];
#endif
}

/* GFLOP/s of the calling thread during `seconds`. */
static double measure_thread(double seconds)
{
    volatile real numbers[3] = { (real)0.5, (real)0.25, 0 };
    double start = now(), elapsed, runs = 0;

    do {
        run_chains(numbers);
        runs++;
        elapsed = now() - start;
    } while (elapsed < seconds);
    return runs * ROUNDS * CHAINS * (double)LANES * 2 / elapsed * 1e-9;
}

double peak_fma_gflops(int threads, double seconds)
{
    double best = 0;

    (void)threads;
    for (int window = 0; window < WINDOWS; window++) {
        double sum = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
#pragma omp barrier /* threads that are still being made would let the others run alone */
            sum += measure_thread(seconds / WINDOWS);
        }
#else
        sum = measure_thread(seconds / WINDOWS);
#endif
        if (sum > best)
            best = sum;
    }
    return best;
}
