/* mutation.h - a graph file that something is to be wrong in, as lines and as bytes. */
#ifndef TEST_MUTATION_H
#define TEST_MUTATION_H

#include "mutate.h"
#include "rng.h"

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

/* The lines of a layer, of a part's first words, of the training table; a layer drawn. */
int line_of(const Mutation *m, int place);
int header_of(const Mutation *m, int part);
int training_line(const Mutation *m);
int any_place(Mutation *m);

/* Takes the text over. */
void replace_line(Mutation *m, int line, char *text);

/* Puts `text` in the place of `length` bytes at `at` of a line. */
void replace_in(Mutation *m, int line, size_t at, size_t length, const char *text);
void insert_line(Mutation *m, int line, const char *text);
void delete_line(Mutation *m, int line);

/* Says what was done; true. */
bool done(Mutation *m, const char *how, int line);

/* Each does one thing to the graph, or nothing and returns false. Of layers, their arguments and
   what they name (mutate_layers.c); of Lua, and of bytes once the lines are joined
   (mutate_text.c). */
typedef bool Change(Mutation *m);
Change wrong_argument, unknown_argument, missing_argument, unknown_word, no_layer, impossible_layer,
    wrong_output, empty_part, unread_layer, too_many_layers, wrong_reference;
Change wrong_syntax, missing_letter, bad_code, deep_nesting;
Change cut_off, zero_byte, byte_code, noise;

#endif
