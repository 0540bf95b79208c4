/* checkpoint_file.h - what the tests of checkpoints share: one of the small model, in a folder of
   the program's own. */
#ifndef TEST_CHECKPOINT_FILE_H
#define TEST_CHECKPOINT_FILE_H

#include "settings.h"
#include "train/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 512 };

extern char folder[512], path[600]; /* temporary; the file */
extern real w[MOST], m[MOST], v[MOST];
extern real *const kept[SETTINGS_STATES]; /* m and v, as adam keeps them */
extern CheckpointState written;

int set_up(void **state);
int tear_down(void **state);

/* Writes the file, with the optimizer's state or without. */
void save_or_fail(const Model *model, bool with_state);

/* Fails unless the file is refused with the code, by a message that says the word and its path. */
void refused(const Model *model, int code, const char *word);

#endif
