/* check_calls.h - of the check of a plan: what steps are called with. */
#ifndef CAEC_CHECK_CALLS_H
#define CAEC_CHECK_CALLS_H

#include "plan.h"

/* What is wrong with operands, packings of weights and functions; NULL: nothing. */
const char *plan_fault_in_calls(const Plan *plan);

#endif
