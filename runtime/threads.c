#define _POSIX_C_SOURCE 200809L
#include "threads.h"

#ifdef _OPENMP
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void *pass(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* Signals are for the caller's thread. All of them wait at the gate until the last has come. */
int threads_try(int count, Error *error)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *threads = malloc((size_t)count * sizeof *threads);
    sigset_t all, before;
    int started = 0, failed = 0;

    if (!threads)
        return error_set(error, EXIT_INPUT, "out of memory for %d threads; try fewer --threads", count);
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
    if (failed)
        return error_set(error, EXIT_INPUT, "%d threads cannot be started: %s; try fewer --threads", count, strerror(failed));
    return 0;
}

#else

int threads_try(int count, Error *error)
{
    (void)count;
    (void)error;
    return 0;
}

#endif
