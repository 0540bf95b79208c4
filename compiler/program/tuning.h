/* tuning.h - measured times of kernels, which take the place of the cost model. */
#ifndef CAEC_TUNING_H
#define CAEC_TUNING_H

#include "../base/text.h"

/* A line of the file: "encoder.conv2 dX+dW conv_winograd 1346.2", microseconds an image. */
typedef struct TuningRow {
    const char *layer, *direction, *kernel;
    double microseconds;
} TuningRow;

typedef struct Tuning {
    const char *target, *real; /* what was measured */
    TuningRow *rows;
    int count;
} Tuning;

/* Reads a file that tuning_text wrote. Ends the program with a message at its line where it is
   none, and exit code 3 where it cannot be read. */
Tuning *tuning_read(const char *path);

Text tuning_text(const Tuning *tuning);

/* Microseconds of a kernel for a direction of a fusion; dX and dW that were measured together count
   half each. -1: not measured. */
double tuning_find(const Tuning *tuning, const char *layer, const char *direction,
                   const char *kernel);

#endif
