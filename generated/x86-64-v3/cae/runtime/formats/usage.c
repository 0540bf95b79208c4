#define _GNU_SOURCE /* program_invocation_short_name */
#include "usage.h"

#include "printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 1000 };

void usage_error(const struct argp_state *state, const char *format, ...)
{
    char message[MESSAGE];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    printable_line(message);
    argp_error(state, "%s", message);
}

void usage_warning(const struct argp_state *state, const char *format, ...)
{
    char message[MESSAGE];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    printable_line(message);
    fprintf(stderr, "%s: warning: %s\n", state->name, message);
}

/* An option without its value. */
static char *option_name(const char *argument)
{
    size_t length = argument[1] == '-' ? strcspn(argument, "=") : 1 + strcspn(argument + 1, "=");
    return strndup(argument, argument[1] == 'o' ? 2 : length);
}

/* getopt shows letters byte by byte, so of them only ASCII may pass. */
static int may_be_shown(const char *name)
{
    for (const char *c = name; name[1] != '-' && *c; c++)
        if ((unsigned char)*c >= 0x80)
            return 0;
    return printable_is(name);
}

static void check_names(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *name = argv[i][0] == '-' && argv[i][1] ? option_name(argv[i]) : NULL;
        if (name && !may_be_shown(name)) {
            printable_line(name);
            fprintf(stderr,
                    "%s: %.200s: no option has such characters; write ./ before the name of a file "
                    "that begins with -\n",
                    program_invocation_short_name, name);
            exit(argp_err_exit_status);
        }
        free(name);
    }
}

void usage_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    check_names(argc, argv);
    argp_parse(argp, argc, argv, 0, NULL, input);
}

void usage_add(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

void usage_list(char *text, size_t size, const char *word, int i, int count)
{
    usage_add(text, size, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", word);
}
