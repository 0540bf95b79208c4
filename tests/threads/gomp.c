/* What programs compiled by GCC ask of libgomp, done with plain threads, so that ThreadSanitizer,
 * which knows pthread_create, pthread_join and pthread_barrier_wait but not libgomp's futexes, sees
 * what waits for what. With -DCAEC_SANITIZE=thread all programs link it before libgomp.
 *
 * It is itself not compiled with the sanitizer: the counters that hand out iterations order
 * nothing, as in libgomp. A function that is missing here would be libgomp's own, which the
 * sanitizer cannot see into: tests/threads/missing.sh names such. No nested teams: a parallel
 * region inside one runs in its thread alone. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_THREADS = 64, MAX_CONSTRUCTS = 4096 };

typedef struct Loop {
    long start, end, step, chunk;
    atomic_long *given;
} Loop;

typedef struct Team {
    void (*body)(void *);
    void *data;
    int count;
    Loop loop; /* the one that the region consists of; step 0: none */
    pthread_barrier_t barrier;
    atomic_long given[MAX_CONSTRUCTS]; /* iterations of the n-th loop that are given out, arrivals
                                          at the n-th single */
} Team;

typedef struct Member {
    Team *team;
    int number;
    int constructs; /* loops and singles met */
    Loop loop;
} Member;

static _Thread_local Member self;
static pthread_mutex_t critical = PTHREAD_MUTEX_INITIALIZER;

int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_num_procs(void);
int omp_get_max_threads(void);
int omp_in_parallel(void);
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
void GOMP_parallel_loop_nonmonotonic_dynamic(void (*body)(void *), void *data, unsigned threads,
                                             long start, long end, long step, long chunk,
                                             unsigned flags);
void GOMP_barrier(void);
bool GOMP_single_start(void);
void GOMP_critical_start(void);
void GOMP_critical_end(void);
void GOMP_critical_name_start(void **name);
void GOMP_critical_name_end(void **name);
bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long *from,
                                          long *to);
bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to);
void GOMP_loop_end_nowait(void);
void GOMP_loop_end(void);

int omp_get_thread_num(void)
{
    return self.number;
}

int omp_get_num_threads(void)
{
    return self.team ? self.team->count : 1;
}

int omp_get_num_procs(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int omp_get_max_threads(void)
{
    const char *given = getenv("OMP_NUM_THREADS");
    return given && atoi(given) > 0 ? atoi(given) : omp_get_num_procs();
}

int omp_in_parallel(void)
{
    return self.team && self.team->count > 1;
}

static atomic_long *next_construct(void)
{
    static atomic_long alone[1];
    if (!self.team) {
        atomic_store(alone, 0);
        return alone;
    }
    if (self.constructs == MAX_CONSTRUCTS) {
        fputs("gomp.c: more constructs in a parallel region than MAX_CONSTRUCTS\n", stderr);
        abort();
    }
    return &self.team->given[self.constructs++];
}

static void *work(void *argument)
{
    self = *(Member *)argument;
    self.loop = self.team->loop;
    if (self.loop.step)
        self.loop.given = next_construct();
    self.team->body(self.team->data);
    return NULL;
}

static void run(void (*body)(void *), void *data, unsigned threads, Loop loop)
{
    Member before = self, members[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    int count = threads ? (int)threads : omp_get_max_threads();
    if (before.team || count < 1)
        count = 1;
    if (count > MAX_THREADS)
        count = MAX_THREADS;
    Team *team = calloc(1, sizeof *team);
    if (!team || pthread_barrier_init(&team->barrier, NULL, (unsigned)count) != 0)
        abort();
    team->body = body;
    team->data = data;
    team->count = count;
    team->loop = loop;
    for (int i = 0; i < count; i++)
        members[i] = (Member){ .team = team, .number = i };
    for (int i = 1; i < count; i++)
        if (pthread_create(&ids[i], NULL, work, &members[i]) != 0)
            abort();
    work(&members[0]);
    for (int i = 1; i < count; i++)
        pthread_join(ids[i], NULL);
    self = before;
    pthread_barrier_destroy(&team->barrier);
    free(team);
}

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags)
{
    (void)flags;
    run(body, data, threads, (Loop){ .step = 0 });
}

void GOMP_parallel_loop_nonmonotonic_dynamic(void (*body)(void *), void *data, unsigned threads,
                                             long start, long end, long step, long chunk,
                                             unsigned flags)
{
    (void)flags;
    run(body, data, threads, (Loop){ start, end, step, chunk, NULL });
}

void GOMP_barrier(void)
{
    if (self.team)
        pthread_barrier_wait(&self.team->barrier);
}

bool GOMP_single_start(void)
{
    return atomic_fetch_add_explicit(next_construct(), 1, memory_order_relaxed) == 0;
}

/* One lock for all names: no more than one is in use. */
void GOMP_critical_start(void)
{
    pthread_mutex_lock(&critical);
}

void GOMP_critical_end(void)
{
    pthread_mutex_unlock(&critical);
}

void GOMP_critical_name_start(void **name)
{
    (void)name;
    GOMP_critical_start();
}

void GOMP_critical_name_end(void **name)
{
    (void)name;
    GOMP_critical_end();
}

bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to)
{
    const Loop *loop = &self.loop;
    long total = (loop->end - loop->start + loop->step - (loop->step > 0 ? 1 : -1)) / loop->step;
    long first = atomic_fetch_add_explicit(loop->given, loop->chunk, memory_order_relaxed);
    if (first >= total)
        return false;
    long last = first + loop->chunk < total ? first + loop->chunk : total;
    *from = loop->start + first * loop->step;
    *to = loop->start + last * loop->step;
    return true;
}

bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long *from,
                                          long *to)
{
    self.loop = (Loop){ start, end, step, chunk, next_construct() };
    return GOMP_loop_nonmonotonic_dynamic_next(from, to);
}

void GOMP_loop_end_nowait(void) {}

void GOMP_loop_end(void)
{
    GOMP_barrier();
}
