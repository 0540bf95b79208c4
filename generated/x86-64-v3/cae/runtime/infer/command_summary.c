/* command_summary.c - the command summary of commands_infer.h. */
#include "commands_infer.h"

#include <stdio.h>

int command_summary(Infer *infer, const InferOptions *options, Error *error)
{
    (void)options, (void)error;
    fputs(infer->model->summary, stdout);
    return 0;
}
