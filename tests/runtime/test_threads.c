/* Threads that cannot be had, on a system that gives out as many as the test says: this
   pthread_create stands before the C library's, for libgomp too. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "infer/infer.h"
#include "threads.h"
#include "tiny_model.h"
#include "weights/initial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int left = 1000, made;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    if (made == left)
        return EAGAIN;
    made++;
    return next(thread, attributes, start, argument);
}

static void give(int threads)
{
    left = threads;
    made = 0;
}

static void refused_in_our_words(void **state)
{
    Error error = { 0 };
    (void)state;
    give(2);
    assert_int_equal(threads_start(4, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    assert_string_equal(
        error.text,
        "4 threads cannot be started: Resource temporarily unavailable; try fewer --threads");
}

/* Once they are started none is started again, whatever is asked of them: it might not be had any
   more. */
static void they_stay(void **state)
{
    enum { THREADS = 4, IMAGES = 9 };
    static uint8_t pixels[8 * 8 * 3];
    static real parameters[1000], latents[IMAGES * 64], outputs[IMAGES * 192];
    const uint8_t *images[IMAGES];
    Infer infer;
    Error error;

    (void)state;
#if defined __SANITIZE_THREAD__
    skip(); /* tests/threads/gomp.c starts its threads anew each time */
#endif
    assert_true(caec_model.parameter_reals <= 1000);
    initial_draw(&caec_model, 1, parameters);
    for (int i = 0; i < IMAGES; i++)
        images[i] = pixels;
    give(2 * (THREADS - 1));
    assert_int_equal(infer_open(&infer, &caec_model, parameters, THREADS, &error), 0);
    give(0);
    for (int n = 1; n <= IMAGES; n += 2) {
        infer_encode(&infer, n, images, latents);
        infer_decode(&infer, n, latents, outputs);
        infer_reconstruct(&infer, IMAGES - n + 1, images, outputs);
    }
    infer_close(&infer);
    give(1000);
}

/* OpenBLAS would start some of its own before main, for nothing. */
static void openblas_starts_none(void **state)
{
    (void)state;
    assert_string_equal(getenv("OPENBLAS_NUM_THREADS"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(refused_in_our_words),
                                        cmocka_unit_test(they_stay),
                                        cmocka_unit_test(openblas_starts_none) };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
