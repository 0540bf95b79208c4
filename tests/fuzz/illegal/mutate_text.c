/* What can be wrong with a graph file as text. */
#define _POSIX_C_SOURCE 200809L
#include "mutation.h"

#include "cases.h"
#include "wrong.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lua ---- */

bool wrong_syntax(Mutation *m)
{
    int line = rng_between(m->state, 1, m->line_count);
    replace_in(m, line, 0, 0, PICK(m, no_lua));
    return done(m, "a mistake of syntax", ANY);
}

bool missing_letter(Mutation *m)
{
    static const char *const letters[] = { "{", "}", "\"", "=" };
    int line = rng_between(m->state, 1, m->line_count);
    const char *at = strstr(m->lines[line], PICK(m, letters));
    if (!at)
        return false;
    replace_in(m, line, (size_t)(at - m->lines[line]), 1, "");
    return done(m, "a letter is missing", ANY);
}

bool bad_code(Mutation *m)
{
    const char *code = PICK(m, bad_codes);
    insert_line(m, 1, code);
    m->result->whole = strstr(code, "return 5") != NULL;
    bool in_its_own_words = strstr(code, "goto") || strstr(code, "return 5");
    m->result->perhaps = strstr(code, "for i = 1, 10, 0");
    return done(m, "code that does not end well", in_its_own_words ? ANY : 1);
}

bool deep_nesting(Mutation *m)
{
    static const char *const pairs[][2] = { { "(", ")" },
                                            { "{", "}" },
                                            { "-", "" },
                                            { "not ", "" },
                                            { "(function() return ", " end)()" },
                                            { "{ {}, ", "}" },
                                            { "x.", "x" } };
    int kind = rng_below(m->state, 7), depth = 100 << rng_below(m->state, 7);
    const char *open = pairs[kind][0], *close = pairs[kind][1];
    if ((kind == 0 || kind == 2) && depth < 300)
        return false;
    size_t n = (strlen(open) + strlen(close)) * (size_t)depth + 16;
    char *text = calloc(1, n), *p = text;
    assert_non_null(text);
    for (int i = 0; i < depth; i++, p += strlen(open))
        memcpy(p, open, strlen(open));
    *p++ = '1';
    for (int i = 0; i < depth; i++, p += strlen(close))
        memcpy(p, close, strlen(close));
    replace_line(m, INPUT_LINE, text_of("  input = %s,", text));
    free(text);
    return done(m, "deep nesting", ANY);
}

/* ---- the bytes of the file ---- */

bool cut_off(Mutation *m)
{
    Mutated *r = m->result;
    r->length = (size_t)rng_below(m->state, (int)r->length - 2); /* without its last brace */
    r->text[r->length] = 0;
    r->whole = true;
    return done(m, "a file that ends early", ANY);
}

bool zero_byte(Mutation *m)
{
    Mutated *r = m->result;
    size_t at = (size_t)rng_below(m->state, (int)r->length);
    r->text[at] = 0;
    /* at the very end, or where nothing but the name of a name changes */
    r->whole = r->perhaps = true;
    return done(m, "a byte of 0", ANY);
}

bool byte_code(Mutation *m)
{
    const char *start = PICK(m, byte_codes);
    size_t n = strlen(start);
    if (m->result->length < n)
        return false;
    memcpy(m->result->text, start, n);
    m->result->whole = true;
    return done(m, "byte code", ANY);
}

/* A few bytes changed anyhow. */
bool noise(Mutation *m)
{
    static const char letters[] =
        "{}{}\"\",,==()[]..--0123456789 \n\tabcdefxyzABC_+-*/%#<>~;:'\\\xff\x01";
    Mutated *r = m->result;
    for (int n = rng_between(m->state, 1, 4); n > 0 && r->length > 2; n--) {
        size_t at = (size_t)rng_below(m->state, (int)r->length),
               some = (size_t)rng_between(m->state, 1, 12);
        switch (rng_below(m->state, 4)) {
        case 0: r->text[at] = letters[rng_below(m->state, (int)sizeof letters - 1)]; break;
        case 1:
            some = some < r->length - at ? some : r->length - at;
            memmove(r->text + at, r->text + at + some, r->length - at - some + 1);
            r->length -= some;
            break;
        case 2: r->text[at] = (char)rng_below(m->state, 256); break;
        default: {
            size_t from = (size_t)rng_below(m->state, (int)r->length);
            some = some < r->length - at ? some : r->length - at;
            some = some < r->length - from ? some : r->length - from;
            memmove(r->text + at, r->text + from, some);
        }
        }
    }
    r->whole = r->perhaps = true;
    return done(m, "noise", ANY);
}
