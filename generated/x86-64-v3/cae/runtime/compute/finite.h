/* finite.h - whether numbers are numbers. */
#ifndef CAEC_FINITE_H
#define CAEC_FINITE_H

#include "model.h"

/* 1 where all of x[n] are finite: no infinity, no NaN. */
int finite_all(const real *x, size_t n);

#endif
