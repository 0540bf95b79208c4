/* check_lives.h - of the check of a plan: when the buffers of a program live. */
#ifndef CAEC_CHECK_LIVES_H
#define CAEC_CHECK_LIVES_H

#include "checker.h"

/* Finds buffers whose lives meet and that share bytes. */
void check_lives(Checker *checker);

#endif
