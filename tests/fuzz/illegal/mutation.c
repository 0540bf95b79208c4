#define _POSIX_C_SOURCE 200809L
#include "mutation.h"

#include "cases.h"

#include <stdlib.h>
#include <string.h>

int line_of(const Mutation *m, int place)
{
    return place < m->encoder_count ? ENCODER_LINE + 1 + place : ENCODER_LINE + 3 + place;
}

int header_of(const Mutation *m, int part)
{
    return part ? ENCODER_LINE + 2 + m->encoder_count : ENCODER_LINE;
}

int training_line(const Mutation *m)
{
    return m->line_count - 1;
}

int any_place(Mutation *m)
{
    return rng_below(m->state, m->count);
}

void replace_line(Mutation *m, int line, char *text)
{
    free(m->lines[line]);
    m->lines[line] = text;
}

void replace_in(Mutation *m, int line, size_t at, size_t length, const char *text)
{
    const char *old = m->lines[line];
    replace_line(m, line, text_of("%.*s%s%s", (int)at, old, text, old + at + length));
}

void insert_line(Mutation *m, int line, const char *text)
{
    assert_true(m->line_count < MAX_LINES);
    memmove(&m->lines[line + 1], &m->lines[line],
            sizeof m->lines[0] * (size_t)(m->line_count - line + 1));
    m->lines[line] = text_of("%s", text);
    m->line_count++;
}

void delete_line(Mutation *m, int line)
{
    free(m->lines[line]);
    memmove(&m->lines[line], &m->lines[line + 1],
            sizeof m->lines[0] * (size_t)(m->line_count - line));
    m->line_count--;
}

bool done(Mutation *m, const char *how, int line)
{
    m->result->how = how;
    m->result->line = line;
    return true;
}
