#include "source.h"

#include "../base/arena.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct Scanner {
    Source *source;
    const char *p, *end, *line_start;
    int line, room;
} Scanner;

static void add(Scanner *s, const char *start, const char *end, char kind, int line, int column)
{
    Source *source = s->source;
    if (source->count == s->room) {
        s->room = s->room ? s->room * 2 : 256;
        Token *tokens = ARENA_ARRAY(Token, s->room);
        if (source->count)
            memcpy(tokens, source->tokens, sizeof *tokens * (size_t)source->count);
        source->tokens = tokens;
    }
    source->tokens[source->count++] = (Token){ start, (int)(end - start), line, column, kind };
}

static void advance(Scanner *s, const char *to)
{
    for (; s->p < to; s->p++)
        if (*s->p == '\n') {
            s->line++;
            s->line_start = s->p + 1;
        }
}

/* The end of a long bracket [[...]] or [==[...]==] that starts at p; NULL where none starts. */
static const char *long_bracket(const Scanner *s, const char *p)
{
    const char *q = p + 1;
    while (q < s->end && *q == '=')
        q++;
    if (p >= s->end || *p != '[' || q >= s->end || *q != '[')
        return NULL;
    size_t level = (size_t)(q - p - 1);
    for (q++; q < s->end; q++) {
        if (*q != ']')
            continue;
        const char *r = q + 1;
        while (r < s->end && *r == '=')
            r++;
        if (r < s->end && *r == ']' && (size_t)(r - q - 1) == level)
            return r + 1;
    }
    return s->end;
}

static const char *quoted(const Scanner *s, const char *p)
{
    char quote = *p++;
    while (p < s->end && *p != quote && *p != '\n') {
        bool escape = *p == '\\' && p + 1 < s->end;
        p += escape ? 2 : 1;
        /* skips the white space that follows, lines too */
        if (escape && p[-1] == 'z')
            while (p < s->end && isspace((unsigned char)*p))
                p++;
        if (escape && p[-1] == '\r' && p < s->end && *p == '\n')
            p++;
    }
    return p < s->end ? p + 1 : s->end;
}

static const char *comment(const Scanner *s, const char *p)
{
    const char *end = long_bracket(s, p + 2);
    if (end)
        return end;
    end = memchr(p, '\n', (size_t)(s->end - p));
    return end ? end : s->end;
}

/* LuaJIT takes every byte beyond ASCII for a letter. */
static bool in_name(unsigned char c)
{
    return isalnum(c) || c == '_' || c >= 0x80;
}

static void next_token(Scanner *s)
{
    const char *p = s->p, *end = p + 1;
    unsigned char c = (unsigned char)*p;
    char kind = (char)c;
    if (isspace(c)) {
        advance(s, end);
        return;
    }
    if (c == '-' && p + 1 < s->end && p[1] == '-') {
        advance(s, comment(s, p));
        return;
    }
    if (in_name(c) && !isdigit(c)) {
        while (end < s->end && in_name((unsigned char)*end))
            end++;
        kind = 'n';
    } else if (isdigit(c)) {
        while (end < s->end && (isalnum((unsigned char)*end) || *end == '.'))
            end++;
        kind = '0';
    } else if (c == '"' || c == '\'') {
        end = quoted(s, p);
        kind = 's';
    } else if (c == '[' && long_bracket(s, p)) {
        end = long_bracket(s, p);
        kind = 's';
    }
    add(s, p, end, kind, s->line, (int)(p - s->line_start) + 1);
    advance(s, end);
}

/* A byte order mark and a first line #!... become white space, so that every Lua takes them. */
static void blank_start(Text *text)
{
    size_t n = text->length >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    memset(text->data, ' ', n);
    if (n < text->length && text->data[n] == '#')
        memset(text->data + n, ' ', strcspn(text->data + n, "\r\n"));
}

Source source_read(const char *file, Text text)
{
    blank_start(&text);
    Source source = { .file = file, .text = text.data, .length = text.length };
    Scanner s = { &source, text.data, text.data + text.length, text.data, 1, 0 };
    while (s.p < s.end)
        next_token(&s);
    return source;
}

static bool token_is(const Source *source, int i, const char *text)
{
    return i >= 0 && i < source->count && (size_t)source->tokens[i].length == strlen(text)
           && memcmp(source->tokens[i].start, text, strlen(text)) == 0;
}

static bool is_call(const Source *source, int i)
{
    if (i + 1 >= source->count || !strchr("{(s", source->tokens[i + 1].kind))
        return false;
    return !token_is(source, i - 1, ".") && !token_is(source, i - 1, ":")
           && !token_is(source, i - 1, "function");
}

Text source_mark(const Source *source, bool (*is_word)(const char *name, size_t length))
{
    Text out = { 0 };
    const char *from = source->text;
    for (int i = 0; i < source->count; i++) {
        const Token *t = &source->tokens[i];
        if (t->kind != 'n' || !is_word(t->start, (size_t)t->length) || !is_call(source, i))
            continue;
        text_append(&out, from, (size_t)(t->start - from));
        text_add(&out, "__at(%d,%.*s)", i, t->length, t->start);
        from = t->start + t->length;
    }
    text_append(&out, from, (size_t)(source->text + source->length - from));
    return out;
}

Loc source_token(const Source *source, int token)
{
    if (token < 0 || token >= source->count)
        return (Loc){ source->file, 0, 0 };
    return (Loc){ source->file, source->tokens[token].line, source->tokens[token].column };
}

Loc source_end(const Source *source)
{
    return (Loc){ source->file, source->count ? source->tokens[source->count - 1].line : 1, 0 };
}

/* The token `name` before `=` inside the braces that open at or soon after token i (a string or
   parenthesis may stand between); -1: none. */
static int find_field(const Source *source, int i, const char *name, size_t length)
{
    while (i < source->count && strchr("s(=", source->tokens[i].kind))
        i++;
    if (i >= source->count || source->tokens[i].kind != '{')
        return -1;
    int depth = 0;
    for (; i < source->count; i++) {
        const Token *t = &source->tokens[i];
        if (t->kind == '{' || t->kind == '(')
            depth++;
        if ((t->kind == '}' || t->kind == ')') && --depth == 0)
            return -1;
        if (depth == 1 && t->kind == 'n' && (size_t)t->length == length
            && memcmp(t->start, name, length) == 0 && token_is(source, i + 1, "="))
            return i;
    }
    return -1;
}

/* The first token of item n, from 1, of the list whose braces open at or soon after token i; -1:
   none. */
static int find_item(const Source *source, int i, int n)
{
    while (i < source->count && strchr("s(=", source->tokens[i].kind))
        i++;
    int depth = 0;
    for (bool starts = true; i < source->count; i++) {
        const char kind = source->tokens[i].kind;
        if (depth == 0 && kind != '{')
            return -1;
        if (depth == 1 && starts && kind != '}' && --n == 0)
            return i;
        starts = depth == 1 ? kind == ',' || kind == ';' : depth == 0;
        if (kind == '{' || kind == '(')
            depth++;
        if ((kind == '}' || kind == ')') && --depth == 0)
            return -1;
    }
    return -1;
}

/* The token that the path leads to from the braces after `token`; -1: none. */
static int find_path(const Source *source, int token, const char *path)
{
    int found = token, next = token + 1;
    while (*path && found >= 0) {
        size_t length = strcspn(path, ".");
        bool item = isdigit((unsigned char)*path);
        found = item ? find_item(source, next, atoi(path)) : find_field(source, next, path, length);
        next = item ? found : found + 1;
        path += length + (path[length] == '.');
    }
    return found;
}

Loc source_argument(const Source *source, int token, const char *path)
{
    int found = find_path(source, token, path);
    return source_token(source, found >= 0 ? found : token);
}

Loc source_item(const Source *source, int token, const char *path, const char *word)
{
    int found = find_path(source, token, path);
    bool alone = token_is(source, found, word)
                 && (token_is(source, found + 1, ",") || token_is(source, found + 1, ";")
                     || token_is(source, found + 1, "}"));
    return source_token(source, alone ? found : token);
}

Loc source_name_in_line(const Source *source, int line, const char *name)
{
    for (int i = 0; i < source->count; i++)
        if (source->tokens[i].line == line && token_is(source, i, name))
            return source_token(source, i);
    return (Loc){ source->file, line, 0 };
}
