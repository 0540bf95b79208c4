#define _POSIX_C_SOURCE 200809L
#include "mutate.h"

#include "cases.h"
#include "rng.h"
#include "wrong.h"

#include <stdlib.h>
#include <string.h>

/* The lines of net_graph: the head, the input, then the parts, then the training table. */
enum { INPUT_LINE = 2, ENCODER_LINE = 3, ANY = 0, TRIES = 200, MAX_LINES = 128 };

typedef struct Mutation {
    const Net *net;
    uint64_t *state;
    NetPlace places[NET_PLACES];
    int count, encoder_count;
    char *lines[MAX_LINES + 1]; /* from 1 on, without their ends */
    int line_count;
    Mutated *result;
} Mutation;

#define PICK(m, list) (list)[rng_below((m)->state, (int)(sizeof(list) / sizeof(list)[0]))]

static int line_of(const Mutation *m, int place)
{
    return place < m->encoder_count ? ENCODER_LINE + 1 + place : ENCODER_LINE + 3 + place;
}

static int header_of(const Mutation *m, int part)
{
    return part ? ENCODER_LINE + 2 + m->encoder_count : ENCODER_LINE;
}

static int training_line(const Mutation *m)
{
    return m->line_count - 1;
}

static int any_place(Mutation *m)
{
    return rng_below(m->state, m->count);
}

/* ---- editing ---- */

static void replace_line(Mutation *m, int line, char *text)
{
    free(m->lines[line]);
    m->lines[line] = text;
}

/* Puts `text` in the place of `length` bytes at `at` of a line. */
static void replace_in(Mutation *m, int line, size_t at, size_t length, const char *text)
{
    const char *old = m->lines[line];
    replace_line(m, line, text_of("%.*s%s%s", (int)at, old, text, old + at + length));
}

static void insert_line(Mutation *m, int line, const char *text)
{
    assert_true(m->line_count < MAX_LINES);
    memmove(&m->lines[line + 1], &m->lines[line],
            sizeof m->lines[0] * (size_t)(m->line_count - line + 1));
    m->lines[line] = text_of("%s", text);
    m->line_count++;
}

static void delete_line(Mutation *m, int line)
{
    free(m->lines[line]);
    memmove(&m->lines[line], &m->lines[line + 1],
            sizeof m->lines[0] * (size_t)(m->line_count - line));
    m->line_count--;
}

static bool done(Mutation *m, const char *how, int line)
{
    m->result->how = how;
    m->result->line = line;
    return true;
}

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
    if (in_words(" padding activation ", name))
        return PICK(m, wrong_choices);
    if (strcmp(name, "use_bias") == 0)
        return PICK(m, wrong_booleans);
    if (in_words(" with layer pool ", name))
        return PICK(m, wrong_references);
    return strcmp(name, "name") == 0 ? PICK(m, wrong_names) : PICK(m, wrong_numbers);
}

static bool wrong_argument(Mutation *m)
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

static bool unknown_argument(Mutation *m)
{
    int line = line_of(m, any_place(m));
    replace_in(m, line, strcspn(m->lines[line], "{") + 1, 0, PICK(m, unknown_arguments));
    return done(m, "an argument that no layer has", line);
}

static bool missing_argument(Mutation *m)
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

static bool unknown_word(Mutation *m)
{
    int line = line_of(m, any_place(m));
    const char *word = PICK(m, unknown_words);
    replace_in(m, line, 4, strcspn(m->lines[line] + 4, " "), word);
    return done(m, "an unknown word",
                strncmp(word, "math", 4) == 0 || strncmp(word, "string", 6) == 0 ? ANY : line);
}

static bool no_layer(Mutation *m)
{
    int place = any_place(m);
    char *text = text_of("    %s,", PICK(m, no_layers));
    insert_line(m, line_of(m, place), text);
    free(text);
    return done(m, "something else where a layer should be", ANY);
}

static bool impossible_layer(Mutation *m)
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
static bool wrong_output(Mutation *m)
{
    int line = line_of(m, m->count - 1) + 1;
    char *text = text_of("    %s,", PICK(m, wrong_outputs));
    insert_line(m, line, text);
    free(text);
    return done(m, "the output has another shape than the input", line);
}

static bool empty_part(Mutation *m)
{
    int part = rng_below(m->state, 2), header = header_of(m, part),
        layers = part ? m->count - m->encoder_count : m->encoder_count;
    for (int i = 0; i < layers; i++)
        delete_line(m, header + 1);
    return done(m, "a part without layers", header);
}

/* Goes on from the image after a layer that nobody names. */
static bool unread_layer(Mutation *m)
{
    int place = any_place(m);
    for (int i = 0; i < m->count; i++)
        if (m->places[i].layer->with && strstr(m->places[i].layer->with, m->places[place].name))
            return false;
    insert_line(m, line_of(m, place) + 1, "    from { layer = \"input\" },");
    return done(m, "nothing reads a layer", ANY);
}

static bool too_many_layers(Mutation *m)
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
static bool wrong_reference(Mutation *m)
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

/* ---- the rest of the table ---- */

static bool wrong_input(Mutation *m)
{
    replace_line(m, INPUT_LINE, text_of("%s", PICK(m, wrong_inputs)));
    return done(m, "an input that is none", ANY);
}

static bool wrong_training(Mutation *m)
{
    int line = training_line(m);
    replace_line(m, line, text_of("  training = { %s },", PICK(m, wrong_trainings)));
    return done(m, "a training table that is wrong", line);
}

static bool wrong_head(Mutation *m)
{
    const char *head = PICK(m, wrong_heads);
    replace_line(m, 1, text_of("%s", head));
    m->result->whole = true;
    return done(m, "a head that is wrong", ANY)
           && strcmp(head, "return autoencoder \"net\" { encoder = 1,") != 0;
}

static bool wrong_part(Mutation *m)
{
    int part = rng_below(m->state, 2), line = header_of(m, part);
    char *text = text_of("  %s", PICK(m, wrong_parts)), *at = strstr(text, "%s");
    *at = 0;
    replace_line(m, line, text_of("%s%s%s", text, net_parts[part], at + 2));
    free(text);
    return done(m, "a part that is none", ANY);
}

/* ---- Lua ---- */

static bool wrong_syntax(Mutation *m)
{
    int line = rng_between(m->state, 1, m->line_count);
    replace_in(m, line, 0, 0, PICK(m, no_lua));
    return done(m, "a mistake of syntax", ANY);
}

static bool missing_letter(Mutation *m)
{
    static const char *const letters[] = { "{", "}", "\"", "=" };
    int line = rng_between(m->state, 1, m->line_count);
    const char *at = strstr(m->lines[line], PICK(m, letters));
    if (!at)
        return false;
    replace_in(m, line, (size_t)(at - m->lines[line]), 1, "");
    return done(m, "a letter is missing", ANY);
}

static bool bad_code(Mutation *m)
{
    const char *code = PICK(m, bad_codes);
    insert_line(m, 1, code);
    m->result->whole = strstr(code, "return 5") != NULL;
    bool in_its_own_words = strstr(code, "goto") || strstr(code, "return 5");
    m->result->perhaps = strstr(code, "for i = 1, 10, 0");
    return done(m, "code that does not end well", in_its_own_words ? ANY : 1);
}

static bool deep_nesting(Mutation *m)
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

static bool cut_off(Mutation *m)
{
    Mutated *r = m->result;
    r->length = (size_t)rng_below(m->state, (int)r->length - 2); /* without its last brace */
    r->text[r->length] = 0;
    r->whole = true;
    return done(m, "a file that ends early", ANY);
}

static bool zero_byte(Mutation *m)
{
    Mutated *r = m->result;
    size_t at = (size_t)rng_below(m->state, (int)r->length);
    r->text[at] = 0;
    /* at the very end, or where nothing but the name of a name changes */
    r->whole = r->perhaps = true;
    return done(m, "a byte of 0", ANY);
}

static bool byte_code(Mutation *m)
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
static bool noise(Mutation *m)
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

/* ---- all ---- */

static void split(Mutation *m, const char *text)
{
    for (m->line_count = 0; *text; text += strcspn(text, "\n") + 1) {
        assert_true(m->line_count < MAX_LINES);
        m->lines[++m->line_count] = text_of("%.*s", (int)strcspn(text, "\n"), text);
    }
}

static void join(Mutation *m)
{
    char *text = text_of("%s", "");
    for (int i = 1; i <= m->line_count; i++) {
        char *longer = text_of("%s%s\n", text, m->lines[i]);
        free(text);
        free(m->lines[i]);
        text = longer;
    }
    m->result->text = text;
    m->result->length = strlen(text);
}

typedef bool Change(Mutation *m);

Mutated mutate(const Net *net, uint64_t *state)
{
    static Change *const of_lines[] = {
        wrong_argument, wrong_argument, wrong_argument,   unknown_argument, missing_argument,
        unknown_word,   no_layer,       impossible_layer, impossible_layer, wrong_output,
        empty_part,     unread_layer,   too_many_layers,  wrong_reference,  wrong_reference,
        wrong_input,    wrong_training, wrong_training,   wrong_head,       wrong_part,
        wrong_syntax,   missing_letter, bad_code,         bad_code,         deep_nesting,
    };
    static Change *const of_bytes[] = { cut_off, zero_byte, byte_code, noise, noise, noise };
    enum {
        LINES = sizeof of_lines / sizeof of_lines[0],
        BYTES = sizeof of_bytes / sizeof of_bytes[0]
    };
    Mutated result = { 0 };
    Mutation m = { .net = net, .state = state, .result = &result };
    m.count = net_places(net, m.places);
    for (int i = 0; i < m.count; i++)
        m.encoder_count += m.places[i].part == 0;
    char *graph = net_graph(net);
    split(&m, graph);
    free(graph);
    int change = rng_below(state, LINES + BYTES), tries = 0;
    for (; change < LINES && !of_lines[change](&m); change = rng_below(state, LINES))
        assert_true(++tries < TRIES);
    join(&m);
    if (change >= LINES)
        assert_true(of_bytes[change - LINES](&m));
    return result;
}
