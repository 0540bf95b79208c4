/* signals.h - the signals that end a program unless it says otherwise: SIGHUP, SIGINT, SIGQUIT,
 * SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, the real-time ones and so on. Not those that tell of
 * a fault of the program itself (SIGSEGV, SIGABRT, ...), which leave it as it stands, nor SIGKILL;
 * and not SIGPIPE and SIGXFSZ, which come of a write. */
#ifndef CAEC_SIGNALS_H
#define CAEC_SIGNALS_H

#include <signal.h> /* with _POSIX_C_SOURCE, for struct sigaction */

enum { MAX_SIGNALS = 65 }; /* their numbers are below */

typedef struct SignalsBefore {
    struct sigaction actions[MAX_SIGNALS];
    unsigned char changed[MAX_SIGNALS];
} SignalsBefore;

/* Has `handler` called for each of them; calls of the system are taken up again. One that is
   ignored, as SIGHUP under nohup, stays so, and one that somebody handles already is left to him;
   but SIGINT and SIGTERM are caught also where they are ignored, as in the background of a script:
   nobody sends them there but on purpose. */
void signals_catch(SignalsBefore *before, void (*handler)(int));

/* SIGXFSZ, SIGPIPE: the write fails then. */
void signals_ignore(SignalsBefore *before, int number);

/* As it was. */
void signals_restore(const SignalsBefore *before);

/* "SIGTERM" into text[24], also in a handler. */
const char *signals_name(int number, char *text);

/* For a program that has nothing to save: all of them and SIGPIPE end it at once with 128 + their
   number, after what is half written has been removed; it may be waiting for a pipe that nobody
   writes to. It says so, but of SIGPIPE. `discard` (NULL: none) removes more: 1 done, 0: nothing
   was there, -1: all is done but for what cannot be undone, so the first signal passes. SIGXFSZ is
   ignored. */
void signals_end_at_once(const char *program, int (*discard)(void));

#endif
