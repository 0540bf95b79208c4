#include "suggest.h"

#include "../base/arena.h"
#include "../ops/ops.h"
#include "edit_distance.h"
#include "other_words.h"

#include <ctype.h>
#include <string.h>

enum { MAX_WORD = 40 }; /* for a longer name nothing is suggested */

/* "Max_Pool2D" as "maxpool2d". */
static const char *bare(const char *name)
{
    char *copy = ARENA_ARRAY(char, strlen(name) + 1); /* zeros */
    int count = 0;
    for (const char *p = name; *p; p++)
        if (*p != '_')
            copy[count++] = (char)tolower((unsigned char)*p);
    return copy;
}

/* The word nearest to a name so far. */
typedef struct Nearest {
    const char *name; /* bare */
    const char *word; /* NULL: none */
    int letters;      /* fewer must be wrong of the next one */
} Nearest;

static void consider(Nearest *nearest, const char *word)
{
    int n = edit_distance(nearest->name, bare(word));
    if (n >= nearest->letters)
        return;
    nearest->letters = n;
    nearest->word = word;
}

/* The word of which it has the most letters, a third of them wrong at most; NULL: none. */
static const char *nearest_word(const char *name)
{
    Nearest nearest = { .name = bare(name) };
    nearest.letters = (int)strlen(nearest.name) / 3 + 1;
    consider(&nearest, "sequential");
    consider(&nearest, "autoencoder");
    for (int i = 0; layer_specs[i]; i++)
        consider(&nearest, layer_specs[i]->word);
    for (int i = 0; loss_specs[i]; i++)
        consider(&nearest, loss_specs[i]->word);
    for (int i = 0; optimizer_specs[i]; i++)
        consider(&nearest, optimizer_specs[i]->word);
    for (int i = 0; schedule_specs[i]; i++)
        consider(&nearest, schedule_specs[i]->word);
    return nearest.word;
}

/* Whether the word stands after `field =`. */
static bool stands_behind(const Source *source, Loc loc, const char *field)
{
    size_t length = strlen(field);
    for (int i = 2; i < source->count; i++) {
        const Token *t = &source->tokens[i];
        if (t->line == loc.line && t->column == loc.column)
            return t[-1].kind == '=' && (size_t)t[-2].length == length
                   && memcmp(t[-2].start, field, length) == 0;
    }
    return false;
}

static const char *choices(const char *what, const ChoiceSpec *const *specs)
{
    Text text = { 0 };
    text_add(&text, "; the %ss are ", what);
    for (int i = 0; specs[i]; i++)
        text_add(&text, "%s%s", !i ? "" : specs[i + 1] ? ", " : " and ", specs[i]->word);
    return text.data;
}

const char *suggest_word(const Source *source, Loc loc, const char *name)
{
    bool is_short = strlen(name) <= MAX_WORD;
    const OtherWord *other = is_short ? other_word_find(bare(name)) : NULL;
    if (other)
        return arena_format("; %s%s", other_word_is_said(other) ? "here that is " : "", other->how);
    const char *word = is_short ? nearest_word(name) : NULL;
    if (word)
        return arena_format("; did you mean %s?", word);
    if (stands_behind(source, loc, "optimizer"))
        return choices("optimizer", optimizer_specs);
    if (stands_behind(source, loc, "schedule"))
        return choices("schedule", schedule_specs);
    return "";
}
