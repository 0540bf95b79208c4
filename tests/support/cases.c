#define _POSIX_C_SOURCE 200809L
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

static const char *place(const char *variable, const char *built)
{
    const char *given = getenv(variable);
    return given && *given ? given : built;
}

const char *caec_binary(void)
{
    return place("CAEC", TEST_CAEC);
}

const char *caec_other(void)
{
    return place("CAEC_OTHER", NULL);
}

const char *c_compiler(void)
{
    return place("CAEC_CC", place("CC", TEST_CC));
}

const char *runtime_folder(void)
{
    return TEST_PROJECT "/runtime";
}

const char *project_folder(void)
{
    return TEST_PROJECT;
}

char *text_of_arguments(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = malloc((size_t)n + 1);
    assert_non_null(text);
    vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

char *text_of(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    return text;
}
