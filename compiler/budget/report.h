/* report.h - what a memory limit took, for the user. */
#ifndef CAEC_REPORT_H
#define CAEC_REPORT_H

#include "savings.h"

/* A table of the savings that the plan has, with what each saved and cost. */
const char *limit_report(const Plan *plan, const MemorySaving *savings, int count);

#endif
