/* hurried.c - loaded before the C library of a program, lets its processor time pass HURRY times as
   fast: what is stopped after seconds of it is stopped after a part of them, and a test of many
   such programs ends sooner. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

clock_t clock(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return HURRY * (used.tv_sec * CLOCKS_PER_SEC + used.tv_nsec / (1000000000 / CLOCKS_PER_SEC));
}

static struct timeval hurried(struct timeval time)
{
    const long all = (time.tv_sec * 1000000 + time.tv_usec) / HURRY;
    return (struct timeval){ .tv_sec = all / 1000000, .tv_usec = all % 1000000 };
}

int setitimer(__itimer_which_t which, const struct itimerval *new, struct itimerval *old)
{
    const struct itimerval sooner = { hurried(new->it_interval), hurried(new->it_value) };
    return (int)syscall(SYS_setitimer, which, &sooner, old);
}
