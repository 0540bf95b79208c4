/* check_values.h - of the check of a plan: what the steps of a program read and write. */
#ifndef CAEC_CHECK_VALUES_H
#define CAEC_CHECK_VALUES_H

#include "checker.h"

/* Follows the program step by step: finds what is read before it is made or when its bytes are
   another's, what has no room, and results that are not made, or made twice. */
void check_values(Checker *checker);

#endif
