/* resume_command.h - how a user goes on with a run. */
#ifndef CAEC_RESUME_COMMAND_H
#define CAEC_RESUME_COMMAND_H

#include "train_private.h"

/* The command that goes on with this run, or with a copy of it in the folder `out`, into
   text[size]. */
void train_resume_command(const Run *run, const char *out, char *text, size_t size);

#endif
