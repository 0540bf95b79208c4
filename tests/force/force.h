/* force.h - trainers that are started, watched and ended by others, and what they leave. */
#ifndef TEST_FORCE_H
#define TEST_FORCE_H

#include "cases.h"
#include "files.h"
#include "process.h"
#include "whole.h"

#include <stdbool.h>
#include <sys/types.h>

/* Seconds of a clock that only goes forward. */
double now(void);
void wait_seconds(double seconds);

/* Starts a shell's command in the folder; its stdout and stderr go to folder/said. */
pid_t start(const char *folder, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits for its end. The exit code, or -1 and the signal's number in *signal (which may be
   NULL). */
int finish(pid_t child, int *signal);

/* Waits until folder/path is there; at most as long as a machine takes that is far slower than
   any. */
enum { WAIT_SECONDS = 150 };
void wait_for(const char *folder, const char *path);

/* Stops it with SIGSTOP, and comes back when it stands still. */
void stand_still(pid_t child);

/* What the command of `start` said, to be freed. */
char *said(const char *folder);

bool is_in(const char *folder, const char *path);
bool same_in(const char *folder, const char *a, const char *b);

/* Fails the test where the run in folder/out does not hold a checkpoint that goes on, to the end
   that folder/whole has, with its bits. `options` are those that its beginning had besides
   --out. */
void want_good_end(const char *folder, const char *out, const char *options);

#endif
