/* words.h - the tables that words of the graph file make (dsl.lua). */
#ifndef CAEC_WORDS_H
#define CAEC_WORDS_H

#include "../base/lua.h"
#include "source.h"

#include <stdbool.h>

/* What is copied is bounded: one string of megabytes may stand in a thousand places. */
enum { MAX_NAME = 1000 };

/* A table that a word made (dsl.lua). */
typedef struct Word {
    const char *word, *name;
    int at; /* token, or -1 where the word was called by another name */
    Loc loc;
} Word;

/* The string at the top of the stack; NULL where it is none, or one with a zero byte inside, which
   no name has. */
const char *read_name(lua_State *L);

/* Reads the word at the top of the stack; false where it is none. */
bool read_word(lua_State *L, const Source *source, Word *word);

/* Pushes word.args, which must be a table, of the word at the top of the stack. */
void push_args(lua_State *L, const Word *word);

/* Where the argument stands; a path such as "training.loss" leads into tables. */
Loc argument_loc(const Source *source, const Word *word, const char *path);

#endif
