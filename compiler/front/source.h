/* source.h - where the words of a graph file stand.
 *
 * Lua tells at most the line of a running call, and nothing in a tail call (`return autoencoder "x"
 * {...}`). So the words of the graph language are marked in the text before Lua reads it: `conv2d
 * {` becomes `__at(17,conv2d) {`, 17 being the word's place in the list of tokens. The lines stay
 * as they were. */
#ifndef CAEC_SOURCE_H
#define CAEC_SOURCE_H

#include "../base/diag.h"
#include "../base/text.h"

#include <stdbool.h>

typedef struct Token {
    const char *start;
    int length, line, column;
    char kind; /* 'n' name or keyword, 's' string, '0' number, else the character itself */
} Token;

typedef struct Source {
    const char *file, *text;
    size_t length;
    Token *tokens;
    int count;
} Source;

/* Cuts the text of a file into tokens; what is no Lua is left to Lua's own parser to refuse. */
Source source_read(const char *file, Text text);

/* The text with every call of a word marked. */
Text source_mark(const Source *source, bool (*is_word)(const char *name, size_t length));

Loc source_token(const Source *source, int token); /* its place */

Loc source_end(const Source *source); /* the last line that says something */

/* Where `name =` stands in the braces that follow the word at `token`; path "training.loss" looks
   into the braces after `training =`, and "stages.2.epochs" into the second pair of those after
   `stages =`. The word's own place where there is none (the table was made elsewhere). */
Loc source_argument(const Source *source, int token, const char *path);

/* Where the word stands alone, without arguments, as the item of a list that the path leads to:
   "3", or "2.1" in a list inside it. The place of `token` where something else stands there (the
   list was made elsewhere). */
Loc source_item(const Source *source, int token, const char *path, const char *word);

/* The place of a name in a line, or the whole line. */
Loc source_name_in_line(const Source *source, int line, const char *name);

#endif
