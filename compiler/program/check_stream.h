/* check_stream.h - of the check of a plan: the rings of a stream. */
#ifndef CAEC_CHECK_STREAM_H
#define CAEC_CHECK_STREAM_H

#include "plan.h"

/* What is wrong with the rings and the memory of a stream; NULL: nothing. */
const char *plan_fault_in_stream(const Plan *plan);

#endif
