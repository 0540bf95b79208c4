#define _POSIX_C_SOURCE 200809L
#include "threads.h"

#include "container.h"

#include <math.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#endif

/* OpenBLAS, where a network has dense layers, starts threads before main, and speaks its own words
   if it cannot. A model asks it for one alone (see its prepare()), so there is nothing for others
   to do. In a static program this comes first. */
__attribute__((constructor(101))) static void keep_openblas_alone(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

#ifdef _OPENMP

static void *pass(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* Threads of this process; -1: unknown. */
static long long alive(void)
{
    return container_number("/proc/self/status", "Threads:");
}

/* A thread that has been joined counts against the system's limits until the kernel has let go of
   it. */
static void wait_until(long long threads)
{
    const struct timespec moment = { 0, 1000 * 1000 };
    for (int i = 0; i < 1000 && alive() > threads; i++)
        nanosleep(&moment, NULL);
}

/* Signals are for the caller's thread. All of them wait at the gate until the last has come. */
static int try_all(int count, Error *error)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *threads = malloc((size_t)count * sizeof *threads);
    sigset_t all, before;
    long long before_all = alive();
    int started = 0, failed = 0;

    if (!threads)
        return error_set(error, EXIT_INPUT, "out of memory for %d threads; try fewer --threads",
                         count);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_mutex_lock(&gate);
    while (started < count - 1 && !failed) {
        failed = pthread_create(&threads[started], NULL, pass, &gate);
        started += !failed;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(threads);
    wait_until(before_all);
    if (failed)
        return error_set(error, EXIT_INPUT, "%d threads cannot be started: %s; try fewer --threads",
                         count, strerror(failed));
    return 0;
}

int threads_start(int count, Error *error)
{
    int came = 0;
    if (try_all(count, error) != 0)
        return -1;
#pragma omp parallel num_threads(count) reduction(+ : came)
    came++;
    return came > 0 ? 0 : -1;
}

int threads_default(void)
{
    int wanted = omp_get_max_threads(), processors = omp_get_num_procs();
    return threads_within_quota(wanted < processors ? wanted : processors, "");
}

#else

int threads_default(void)
{
    return 1;
}

int threads_start(int count, Error *error)
{
    (void)count;
    (void)error;
    return 0;
}

#endif

int threads_within_quota(int threads, const char *root)
{
    double processors = ceil(container_processors(root));
    return processors >= 1 && processors < threads ? (int)processors : threads;
}
