#define _XOPEN_SOURCE 700 /* sigaction */
#include "signals.h"

#include "../../runtime/formats/whole_file.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SIGNAL = 128 }; /* and the signal's number, as shells say it */

/* Those that end a program unless it does something about them, without a core, besides SIGRTMIN
 * and up; and two that leave one. */
static const int endings[] = {
    SIGHUP,    SIGINT,  SIGTERM, SIGPIPE, SIGALRM, SIGVTALRM,
    SIGPROF,   SIGUSR1, SIGUSR2, SIGPOLL, SIGQUIT, SIGXCPU,
#ifdef SIGSTKFLT
    SIGSTKFLT,
#endif
#ifdef SIGPWR
    SIGPWR,
#endif
};
enum { ENDINGS = sizeof endings / sizeof endings[0] };

static _Atomic(const char *) temporary;
static volatile sig_atomic_t child; /* a group of processes; 0: none */

/* Also in a signal's handler, where little else is safe. */
void signals_remove(const char *folder)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(1);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

void signals_remove_temporary(void)
{
    const char *folder = atomic_exchange(&temporary, NULL);
    if (folder)
        signals_remove(folder);
}

void signals_child(pid_t group)
{
    child = group;
}

static void end_child(void)
{
    if (!child)
        return;
    kill(-(pid_t)child, SIGKILL);
    while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Whoever does not read the output any more needs no message. */
static void end(int signal)
{
    static const char message[] = "caec: stopped by a signal\n";
    end_child();
    whole_file_discard();
    signals_remove_temporary();
    ssize_t written = signal != SIGPIPE ? write(STDERR_FILENO, message, sizeof message - 1) : 0;
    (void)written;
    _exit(EXIT_SIGNAL + signal);
}

static void fill(sigset_t *set)
{
    sigemptyset(set);
    for (int i = 0; i < ENDINGS; i++)
        sigaddset(set, endings[i]);
    for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
        sigaddset(set, i);
}

static void catch_one(int signal, void (*handler)(int))
{
    struct sigaction before, action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    fill(&action.sa_mask);
    if (sigaction(signal, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(signal, &action, NULL);
}

void signals_catch(void)
{
    for (int i = 0; i < ENDINGS; i++)
        catch_one(endings[i], end);
    for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
        catch_one(i, end);
    catch_one(SIGXFSZ, SIG_IGN);
    atexit(signals_remove_temporary);
}

static sigset_t before; /* what was held before signals_hold */

void signals_hold(void)
{
    sigset_t set;
    fill(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
}

void signals_release(void)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Not those that whoever started caec holds: they never come. */
bool signals_waiting(void)
{
    sigset_t all, pending;
    fill(&all);
    if (sigpending(&pending) != 0)
        return false;
    bool waiting = false;
    for (int i = 1; i <= SIGRTMAX; i++)
        waiting = waiting
                  || (sigismember(&all, i) == 1 && sigismember(&pending, i) == 1
                      && sigismember(&before, i) == 0);
    return waiting;
}

void signals_temporary(const char *folder)
{
    atomic_store(&temporary, folder);
}
