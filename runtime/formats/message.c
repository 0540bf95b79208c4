#include "message.h"

#include "printable.h"

#include <stdarg.h>
#include <stdio.h>

int message_fail(char *message, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, size, format, args);
    va_end(args);
    if (size > 0)
        printable_line(message);
    return -1;
}
