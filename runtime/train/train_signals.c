/* train_signals.c - who asks a training run to stop. */
#define _POSIX_C_SOURCE 200809L
#include "train_private.h"

#include "formats/whole_file.h"
#include "signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal,
    begun; /* begun 1: training, so that there is something to save */
static volatile sig_atomic_t seen[MAX_SIGNALS];
static char program[120]; /* below the bar, if there is one */

/* Those that are sent again by whoever cannot wait. Others come again by themselves, as SIGXCPU
 * does every second. */
static int may_hurry(int number)
{
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

/* A notice comes in the middle of anything. */
static void give_notice(int number)
{
    char text[300], name[24], *end;
    signals_name(number, name);
    end = stpcpy(stpcpy(text, program), "-train: stopping after this step, then saving");
    if (may_hurry(number))
        end = stpcpy(stpcpy(stpcpy(end, "; one more "), name),
                     " ends it at once, and what is not saved is lost");
    stpcpy(end, "\n");
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* then nobody listens */
}

/* Ends the program as the signal would have ended it, but for what is half written. */
static void end_by(int number)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    whole_file_discard();
    sigaction(number, &action, NULL);
    raise(number);
}

/* The first signal asks the run to stop after its step, or ends the program where none has been
   made yet; a second one of the kind ends it anyway (another may be the same wish: a terminal that
   is closed, a system that goes down). */
static void stop(int number)
{
    int reason = errno;
    if (!begun) {
        whole_file_discard();
        _exit(128 + number);
    }
    if (seen[number] && may_hurry(number))
        end_by(number);
    else if (!stop_signal)
        give_notice(number);
    seen[number] = 1;
    if (!stop_signal)
        stop_signal = number;
    errno = reason;
}

int train_stopped(void)
{
    return stop_signal;
}

void train_allow_stopping(const Run *run)
{
    snprintf(program, sizeof program, "%s%.100s", run->progress.terminal ? "\n" : "",
             run->model->name);
    begun = 1;
}

/* A file that grows past the limit of its size, and a reader of the output that has gone, shall be
   errors of a write, not the end of the program. SIGPIPE stays so to the end: what could not be
   written is tried once more then. */
void train_watch_signals(SignalsBefore *before)
{
    stop_signal = begun = 0;
    for (int i = 0; i < MAX_SIGNALS; i++)
        seen[i] = 0;
    signals_catch(before, stop);
    signals_ignore(before, SIGXFSZ);
    signals_ignore(before, SIGPIPE);
    before->changed[SIGPIPE] = 0;
}
