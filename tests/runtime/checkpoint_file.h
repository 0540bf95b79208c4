/* checkpoint_file.h - what the tests of checkpoints share: one of the small model, in a folder of
   the program's own. */
#ifndef TEST_CHECKPOINT_FILE_H
#define TEST_CHECKPOINT_FILE_H

#include "train/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 512 };

extern char folder[512], path[600]; /* temporary; the file */
extern real w[MOST], m[MOST], v[MOST];
extern CheckpointState written;

int set_up(void **state);
int tear_down(void **state);

/* Writes the file; without the optimizer's state where `mean` is NULL. */
void save_or_fail(const Model *model, const real *mean);

/* Fails unless the file is refused with the code, by a message that says the word and its path. */
void refused(const Model *model, int code, const char *word);

#endif
