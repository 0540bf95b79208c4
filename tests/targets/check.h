/* check.h - between check.c, which knows the library, and the file of a machine, which knows how to
   speak there. */
#ifndef TARGETS_CHECK_H
#define TARGETS_CHECK_H

/* Calls the library's functions and says a line a result: "inference latent 120e-9 of 10000e-9
   passed". 0: all passed, 1: not. */
int check(void);

/* Of the machine: puts out some text. */
void say(const char *text);

#endif
