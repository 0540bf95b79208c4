/* other_words.h - the words of other libraries that caec lacks, and how to say the same here. */
#ifndef CAEC_OTHER_WORDS_H
#define CAEC_OTHER_WORDS_H

#include <stdbool.h>

/* A word, and what to write instead: caec's own, as "crop2d { padding = n }", or in words why there
   is nothing like it. */
typedef struct OtherWord {
    const char *name; /* in small letters without underscores, as "maxpool1d" */
    const char *how;
} OtherWord;

extern const OtherWord other_words[]; /* ended by name NULL */

/* Whether `how` begins with a word and its braces. */
bool other_word_is_said(const OtherWord *other);

/* The row of that name, unless it begins with a word that no layer has; NULL: none. */
const OtherWord *other_word_find(const char *bare_name);

#endif
