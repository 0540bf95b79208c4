/* print.h - a plan as text. */
#ifndef CAEC_PLAN_PRINT_H
#define CAEC_PLAN_PRINT_H

#include "plan.h"

void plan_print(Text *out, const Plan *plan);        /* --dump plan */
void plan_print_memory(Text *out, const Plan *plan); /* --memory */

#endif
