/* What can be wrong with layers. */
#define _POSIX_C_SOURCE 200809L
#include "mutation.h"

#include "cases.h"
#include "wrong.h"

#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

/* `name = value` in a line: where it begins, where the value does, and where it ends. */
typedef struct Field {
    char name[24];
    size_t begin, value, end;
} Field;

enum { MAX_FIELDS = 12 };

/* Those of the line's outermost braces. */
static int find_fields(const char *line, Field *fields)
{
    const char *p = strchr(line, '{');
    int count = 0, depth = 0;
    for (p = p ? p + 1 : line + strlen(line); *p && depth >= 0 && count < MAX_FIELDS;) {
        p += strspn(p, " ,");
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
        if (!n || n >= sizeof fields->name || strncmp(p + n, " = ", 3) != 0)
            break;
        Field *f = &fields[count++];
        memcpy(f->name, p, n);
        f->name[n] = 0;
        f->begin = (size_t)(p - line);
        f->value = f->begin + n + 3;
        for (p = line + f->value; *p && !(depth == 0 && (*p == ',' || (*p == ' ' && p[1] == '}')));
             p++)
            depth += *p == '{' ? 1 : *p == '}' ? -1 : 0;
        f->end = (size_t)(p - line);
    }
    return count;
}

static bool in_words(const char *words, const char *word)
{
    char *padded = text_of(" %s ", word);
    bool found = strstr(words, padded) != NULL;
    free(padded);
    return found;
}

static const char *wrong_value(Mutation *m, const char *name)
{
    if (strcmp(name, "shape") == 0)
        return PICK(m, wrong_shapes);
    if (strcmp(name, "activation") == 0)
        return PICK(m, wrong_choices);
    if (strcmp(name, "padding") == 0)
        return PICK(m, wrong_paddings);
    if (strcmp(name, "use_bias") == 0 || strcmp(name, "trainable") == 0)
        return PICK(m, wrong_booleans);
    if (in_words(" with layer pool tied ", name))
        return PICK(m, wrong_references);
    return strcmp(name, "name") == 0 ? PICK(m, wrong_names) : PICK(m, wrong_numbers);
}

bool wrong_argument(Mutation *m)
{
    int line = line_of(m, any_place(m));
    Field fields[MAX_FIELDS];
    int count = find_fields(m->lines[line], fields);
    if (!count)
        return false;
    const Field *f = &fields[rng_below(m->state, count)];
    const char *value = wrong_value(m, f->name);
    if (strcmp(f->name, "stddev") == 0 && strcmp(value, "1e300") == 0)
        return false;
    replace_in(m, line, f->value, f->end - f->value, value);
    return done(m, "an argument of the wrong kind or range", line);
}

bool unknown_argument(Mutation *m)
{
    int line = line_of(m, any_place(m));
    replace_in(m, line, strcspn(m->lines[line], "{") + 1, 0, PICK(m, unknown_arguments));
    return done(m, "an argument that no layer has", line);
}

bool missing_argument(Mutation *m)
{
    int line = line_of(m, any_place(m));
    Field fields[MAX_FIELDS];
    int count = find_fields(m->lines[line], fields);
    if (!count)
        return false;
    const Field *f = &fields[rng_below(m->state, count)];
    if (!in_words(" filters kernel units shape with pool layer stddev rate ", f->name))
        return false;
    if (rng_chance(m->state, 30))
        replace_in(m, line, f->value, f->end - f->value, "nil");
    else
        replace_in(m, line, f->begin, f->end - f->begin + (m->lines[line][f->end] == ','), "");
    return done(m, "an argument is missing", line);
}

/* ---- layers ---- */

bool unknown_word(Mutation *m)
{
    int line = line_of(m, any_place(m));
    const char *word = PICK(m, unknown_words);
    replace_in(m, line, 4, strcspn(m->lines[line] + 4, " "), word);
    return done(m, "an unknown word",
                strncmp(word, "math", 4) == 0 || strncmp(word, "string", 6) == 0 ? ANY : line);
}

bool no_layer(Mutation *m)
{
    int place = any_place(m);
    char *text = text_of("    %s,", PICK(m, no_layers));
    insert_line(m, line_of(m, place), text);
    free(text);
    return done(m, "something else where a layer should be", ANY);
}

bool impossible_layer(Mutation *m)
{
    int line = line_of(m, any_place(m));
    const char *layer = PICK(m, impossible_layers);
    char *text = text_of("    %s", layer);
    insert_line(m, line, text);
    free(text);
    bool about_the_part = layer[0] == '{' || strstr(layer, "sequential \"inner\",")
                          || strstr(layer, "} {");
    return done(m, "a layer that is impossible anywhere", about_the_part ? ANY : line);
}

/* After the last layer, which gives the input's shape. */
bool wrong_output(Mutation *m)
{
    int line = line_of(m, m->count - 1) + 1;
    char *text = text_of("    %s,", PICK(m, wrong_outputs));
    insert_line(m, line, text);
    free(text);
    return done(m, "the output has another shape than the input", line);
}

bool empty_part(Mutation *m)
{
    int part = rng_below(m->state, 2), header = header_of(m, part),
        layers = part ? m->count - m->encoder_count : m->encoder_count;
    for (int i = 0; i < layers; i++)
        delete_line(m, header + 1);
    return done(m, "a part without layers", header);
}

/* Goes on from the image after a layer that nobody names. */
bool unread_layer(Mutation *m)
{
    int place = any_place(m);
    for (int i = 0; i < m->count; i++)
        if (m->places[i].layer->with && strstr(m->places[i].layer->with, m->places[place].name))
            return false;
    insert_line(m, line_of(m, place) + 1, "    from { layer = \"input\" },");
    return done(m, "nothing reads a layer", ANY);
}

bool too_many_layers(Mutation *m)
{
    static const char one[] = "linear {}, ";
    enum { MANY = 513 };
    char *text = calloc(1, MANY * (sizeof one - 1) + 1);
    assert_non_null(text);
    for (int i = 0; i < MANY; i++)
        memcpy(text + (size_t)i * (sizeof one - 1), one, sizeof one - 1);
    int line = line_of(m, any_place(m));
    insert_line(m, line, text);
    free(text);
    return done(m, "too many layers", line);
}

/* ---- references ---- */

/* A layer after a place whose input has `size`; it names another place at which the shapes do not
   meet. */
bool wrong_reference(Mutation *m)
{
    int place = any_place(m), other = any_place(m);
    NetSize a = m->places[place].out, b = m->places[other].out;
    const NetLayer *named = m->places[other].layer;
    const char *name = m->places[other].name;
    char *text = NULL;
    bool alike = named->kind == FROM || named->rate == 0;
    switch (rng_below(m->state, 4)) {
    case 0:
        if (other > place)
            text = text_of("    add { with = \"%s\" },", name);
        break;
    case 1:
        if (a.height != b.height || a.width != b.width || a.flat != b.flat)
            text = text_of("    concat { with = { \"%s\", \"%s\" } },", m->places[place].name,
                           name);
        break;
    case 2:
        if (a.height * a.width * a.channels != b.height * b.width * b.channels)
            text = text_of("    add { with = \"%s\" },", name);
        break;
    default:
        if (named->kind != POOL && named->kind != ACT
            && !(alike && (named->kind == NOISE || named->kind == DROP || named->kind == FROM)))
            text = text_of("    max_unpool2d { pool = \"%s\" },", name);
    }
    if (!text)
        return false;
    int line = line_of(m, place) + 1;
    insert_line(m, line, text);
    free(text);
    return done(m, "a reference to what comes later or has another shape", line);
}
