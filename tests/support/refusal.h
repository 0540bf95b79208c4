/* refusal.h - a wrong graph and the message it must get: place, word, source line and caret, exit
   code, and nothing written. */
#ifndef TEST_REFUSAL_H
#define TEST_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

/* `graph` holds one mark where the message must point: `@` a word in its line (the caret stands
   under it), `^` a whole line. Without a mark the message is about the whole file. The marks are
   taken out before caec reads the text. `message` is how the text after "error: " must start. */
typedef struct Refusal {
    const char *graph, *message;
} Refusal;

/* Also by the compiler that was built with the other Lua, where there is one. */
void want_refusal(const Refusal *refusal);

/* The same of any text, which may hold bytes of 0, without a word of what the message must say: it
   stands at a line (`line`, where that is not 0; only where `whole` is set it may be about the
   whole file), and its source line and caret are right. */
void want_refused(const char *graph, size_t length, int line, bool whole);

#define REFUSE(refusals)                                                   \
    for (size_t i_ = 0; i_ < sizeof(refusals) / sizeof(refusals)[0]; i_++) \
    want_refusal(&(refusals)[i_])

/* A graph of 8x8x3 with these layers; the convolutions named are enough to be legal by
   themselves. */
#define GRAPH(encoder_, decoder_) WITH(encoder_, decoder_, "")
#define WITH(encoder_, decoder_, more_)                                                         \
    "return autoencoder \"net\" {\n  input = { 8, 8, 3 },\n  encoder = sequential \"encoder\" " \
    "{\n    " encoder_ "\n  },\n"                                                               \
    "  decoder = sequential \"decoder\" {\n    " decoder_ "\n  },\n" more_ "}\n"
#define CONV5 "conv2d { filters = 5, kernel = 3 },"
#define CONV3 "conv2d { filters = 3, kernel = 3 },"

#endif
