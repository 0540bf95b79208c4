#define _GNU_SOURCE /* SIGPOLL, SIGPWR, SIGVTALRM */
#include "signals.h"

#include "formats/whole_file.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct Signal {
    int number;
    const char *name;
} named[] = {
    { SIGINT, "SIGINT" },       { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" },
    { SIGQUIT, "SIGQUIT" },     { SIGALRM, "SIGALRM" }, { SIGUSR1, "SIGUSR1" },
    { SIGUSR2, "SIGUSR2" },     { SIGXCPU, "SIGXCPU" }, { SIGVTALRM, "SIGVTALRM" },
    { SIGPROF, "SIGPROF" },
#ifdef SIGPOLL
    { SIGPOLL, "SIGPOLL" },
#endif
#ifdef SIGPWR
    { SIGPWR, "SIGPWR" },
#endif
#ifdef SIGSTKFLT
    { SIGSTKFLT, "SIGSTKFLT" },
#endif
};
enum { NAMED = sizeof named / sizeof named[0] };

static int ends_programs(int number)
{
    for (int i = 0; i < NAMED; i++)
        if (named[i].number == number)
            return 1;
    return number >= SIGRTMIN && number <= SIGRTMAX;
}

const char *signals_name(int number, char *text)
{
    for (int i = 0; i < NAMED; i++)
        if (named[i].number == number)
            return strcpy(text, named[i].name);
    char *to = stpcpy(text, "signal ");
    if (number >= 10)
        *to++ = (char)('0' + number / 10 % 10);
    *to++ = (char)('0' + number % 10);
    *to = '\0';
    return text;
}

static void set(SignalsBefore *before, int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigfillset(&action.sa_mask);
    before->changed[number] = sigaction(number, &action, &before->actions[number]) == 0;
}

void signals_catch(SignalsBefore *before, void (*handler)(int))
{
    struct sigaction now;
    memset(before, 0, sizeof *before);
    for (int n = 1; n < MAX_SIGNALS; n++)
        if (ends_programs(n) && sigaction(n, NULL, &now) == 0
            && (now.sa_handler == SIG_DFL || n == SIGINT || n == SIGTERM))
            set(before, n, handler);
}

void signals_ignore(SignalsBefore *before, int number)
{
    set(before, number, SIG_IGN);
}

void signals_restore(const SignalsBefore *before)
{
    for (int n = 1; n < MAX_SIGNALS; n++)
        if (before->changed[n])
            sigaction(n, &before->actions[n], NULL);
}

/* ---- a program that has nothing to save ---- */

static char words[128];
static int (*discard_more)(void);

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* then nobody listens */
}

/* timeout sends the same signal twice, and two threads may get one each. */
static void end_at_once(int number)
{
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    static volatile sig_atomic_t late;

    if (atomic_flag_test_and_set(&ending))
        return;
    int nothing = whole_file_discard(), more = discard_more ? discard_more() : 0;
    if (more < 0 && !late) {
        late = 1;
        atomic_flag_clear(&ending);
        return;
    }
    if (number != SIGPIPE) {
        say(words);
        say(more > 0 || nothing ? "; nothing was written\n" : "\n");
    }
    _exit(128 + number);
}

void signals_end_at_once(const char *program, int (*discard)(void))
{
    SignalsBefore before;
    struct sigaction now;
    snprintf(words, sizeof words, "%.90s: stopped by a signal", program);
    discard_more = discard;
    signals_catch(&before, end_at_once);
    signals_ignore(&before, SIGXFSZ);
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        set(&before, SIGPIPE, end_at_once);
}
