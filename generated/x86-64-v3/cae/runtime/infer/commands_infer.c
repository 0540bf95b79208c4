/* commands_infer.c - what the commands of commands_infer.h share. */
#define _XOPEN_SOURCE 700 /* strcasecmp */
#include "commands_infer.h"

#include "formats/printable.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void command_warn(const char *text)
{
    fputs("warning: ", stderr);
    printable_put(stderr, text);
    fputc('\n', stderr);
}

int command_needs_decoder(const Model *model, Error *error)
{
    if (model->decode)
        return 0;
    return error_set(
        error, EXIT_USAGE,
        "the network %s cannot decode a latent alone: its decoder reads more of the encoder than "
        "the latent; only decode and interpolate need that",
        model->name);
}

int command_check_png_name(const char *path, Error *error)
{
    size_t length = strlen(path);
    if (length > 4 && strcasecmp(path + length - 4, ".png") == 0)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "-o %s: the picture is written as PNG; give it a name that ends in .png",
                     path);
}

void command_print_name(const char *before, const char *name)
{
    fputs(before, stdout);
    printable_put(stdout, name);
    putchar('\n');
}
