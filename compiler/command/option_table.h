/* option_table.h - the options of caec, as argp has them. */
#ifndef CAEC_OPTION_TABLE_H
#define CAEC_OPTION_TABLE_H

#include "../../runtime/formats/usage.h"

enum {
    KEY_TARGET = 256,
    KEY_REAL,
    KEY_SUMMARY,
    KEY_DUMP,
    KEY_STOP,
    KEY_LIST,
    KEY_EXPAND,
    KEY_DOT,
    KEY_MEMORY,
    KEY_KERNEL,
    KEY_NO_RUNTIME,
    KEY_TUNE,
    KEY_TUNED,
    KEY_EMIT,
    KEY_NO_TRAINING,
    KEY_OPTIMIZE,
    KEY_MEMORY_LIMIT,
    KEY_STREAM,
    KEY_WEIGHTS,
    KEY_WEIGHTS_AS,
    KEY_WEIGHTS_TYPE,
    KEY_FORCE,
    KEY_END
};

extern const struct argp_option option_table[];
extern const char option_doc[]; /* what --help says above and below them */

/* "target" for KEY_TARGET. */
const char *option_name(int key);

#endif
