/* list.h - what caec knows, for --list. */
#ifndef CAEC_LIST_H
#define CAEC_LIST_H

/* Prints a line each: "passes", "ops", "kernels" or "targets". */
void list(const char *what);

#endif
