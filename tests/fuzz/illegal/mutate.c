#define _POSIX_C_SOURCE 200809L
#include "mutation.h"

#include "cases.h"
#include "wrong.h"

#include <stdlib.h>
#include <string.h>

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
