/* list.h - what caec knows, for --list. */
#ifndef CAEC_LIST_H
#define CAEC_LIST_H

#include <stdbool.h>

/* Prints a line each of "passes", "ops", "kernels" or "targets"; returns false for anything else.
   Without `print` it only says that. */
bool list_print(const char *what, bool print);

#endif
