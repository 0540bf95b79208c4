/* native.h - the machine that caec runs on. */
#ifndef CAEC_NATIVE_H
#define CAEC_NATIVE_H

/* The name of the target that fits it best: a row of target.c. */
const char *native_target(void);

#endif
