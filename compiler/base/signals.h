/* signals.h - how caec ends by a signal: nothing half written stays, nothing temporary, and the
 * exit code is 128 and the signal's number. */
#ifndef CAEC_SIGNALS_H
#define CAEC_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* Catches every signal that ends programs and is no fault of theirs, but for those that whoever
   started caec told it to ignore, or that somebody in this program (a fuzzer) catches already.
   SIGXFSZ is ignored: a file that may grow no more is then an error as any other. */
void signals_catch(void);

/* Between these two a signal waits. */
void signals_hold(void);
void signals_release(void);
bool signals_waiting(void); /* whether one does */

/* Removes a folder with all in it. */
void signals_remove(const char *folder);

/* A folder that is removed likewise when the program ends, by exit() or by a signal, or at the
 * second call. */
void signals_temporary(const char *folder);
void signals_remove_temporary(void);

/* A child and all of its process group, of the same number, that a signal's end kills and waits
 * for; 0: none any more. */
void signals_child(pid_t group);

#endif
