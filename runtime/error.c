#include "error.h"

#include "formats/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(Error *error, int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    printable_line(error->text);
    error->exit_code = exit_code;
    error->shortage = 0;
    return -1;
}

int error_is_shortage(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}
