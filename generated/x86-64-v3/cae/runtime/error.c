#include "error.h"

#include "formats/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int fill_in(Error *error, int exit_code, int shortage, const char *format, va_list args)
{
    vsnprintf(error->text, sizeof error->text, format, args);
    printable_line(error->text);
    error->exit_code = exit_code;
    error->shortage = shortage;
    return -1;
}

int error_set(Error *error, int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = fill_in(error, exit_code, 0, format, args);
    va_end(args);
    return result;
}

int error_set_shortage(Error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = fill_in(error, EXIT_INPUT, 1, format, args);
    va_end(args);
    return result;
}

int error_is_shortage(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}
