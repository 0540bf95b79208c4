#include "resume_command.h"

#include <stdio.h>
#include <string.h>

/* Appends a word of a shell's, in quotes where it needs them. */
static void append_word(char *text, size_t size, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:@%=";
    size_t used = strlen(text);
    int quote = !*word || word[strspn(word, plain)] != '\0';
    used += (size_t)snprintf(text + used, size - used, "%s", quote ? "'" : "");
    for (const char *c = word; *c && used + 8 < size; c++)
        used += (size_t)snprintf(text + used, size - used, *c == '\'' ? "'\\''" : "%c", *c);
    if (quote && used + 2 < size)
        strcpy(text + used, "'");
}

/* Appends " --name value". */
static void append_option(char *text, size_t size, const char *name, const char *value)
{
    size_t used = strlen(text);
    if (!value)
        return;
    snprintf(text + used, size - used, " --%s ", name);
    append_word(text, size, value);
}

void train_resume_command(const Run *run, const char *out, char *text, size_t size)
{
    char name[300];
    snprintf(name, sizeof name, "%s-train", run->model->name);
    *text = '\0';
    append_word(text, size, run->options->program ? run->options->program : name);
    for (int i = 0; i < run->options->train.count; i++)
        append_option(text, size, "train", run->options->train.paths[i]);
    for (int i = 0; i < run->options->val.count; i++)
        append_option(text, size, "val", run->options->val.paths[i]);
    append_option(text, size, "out", out);
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s --resume",
             run->options->skip_unreadable ? " --skip-unreadable" : "",
             run->options->strict ? " --strict" : "");
}
