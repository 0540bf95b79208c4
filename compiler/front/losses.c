#include "losses.h"

#include "../base/arena.h"
#include "words.h"

#include <string.h>

enum { MAX_LOSSES = 32 };

static const double most = 1e6;
static const char example[] = "\"mse\", or a sum such as { mse = 0.8, mae = 0.2 }";

const char *const *loss_words(void)
{
    static const char *words[MAX_LOSSES];
    for (int i = 0; i < MAX_LOSSES - 1 && loss_specs[i]; i++)
        words[i] = loss_specs[i]->word;
    return words;
}

/* What the table says so far: of each row of loss_specs its term; word NULL: none. */
typedef struct Reader {
    lua_State *L;
    const ArgumentPlaces *places;
    Loc loc;
    LossTerm terms[MAX_LOSSES];
} Reader;

static int row_of(const char *word)
{
    for (int i = 0; loss_specs[i]; i++)
        if (strcmp(loss_specs[i]->word, word) == 0)
            return i;
    return -1;
}

static LossTerm with_defaults(const LossSpec *spec, double weight, Loc loc)
{
    LossTerm term = { .choice.word = spec->word, .weight = weight, .loc = loc };
    for (int i = 0; spec->args[i].name; i++)
        term.choice.number[i] = spec->args[i].number;
    return term;
}

/* "0.8 mse + 0.2 huber": numbers of a word that are not its defaults follow it in braces. */
static void add_text(Text *text, const LossTerm *term)
{
    const LossSpec *spec = loss_find(term->choice.word);
    const char *between = " { ";
    if (term->weight != 1)
        text_add(text, "%.15g ", term->weight);
    text_add(text, "%s", spec->word);
    for (int i = 0; spec->args[i].name; i++)
        if (term->choice.number[i] != spec->args[i].number) {
            text_add(text, "%s%s = %.15g", between, spec->args[i].name, term->choice.number[i]);
            between = ", ";
        }
    text_add(text, "%s", *between == ',' ? " }" : "");
}

static LossSum sum_of(const LossTerm *terms, int count, Loc loc)
{
    Text text = { 0 };
    for (int i = 0; i < count; i++) {
        text_add(&text, "%s", i ? " + " : "");
        add_text(&text, &terms[i]);
    }
    return (LossSum){ text.data, terms, count, loc };
}

LossSum loss_of_word(const char *word, Loc loc)
{
    LossTerm *term = ARENA_NEW(LossTerm);
    *term = with_defaults(loss_find(word), 1, loc);
    return sum_of(term, 1, loc);
}

LossSum loss_at(const LossSum *loss, Loc loc)
{
    LossTerm *terms = ARENA_ARRAY(LossTerm, loss->count);
    for (int i = 0; i < loss->count; i++) {
        terms[i] = loss->terms[i];
        terms[i].loc = loc;
    }
    return (LossSum){ loss->text, terms, loss->count, loc };
}

static void put(Reader *r, LossTerm term)
{
    LossTerm *place = &r->terms[row_of(term.choice.word)];
    if (place->choice.word)
        fail(term.loc, "%s: the loss %s stands there twice; give it once, with the sum of weights",
             r->places->word, term.choice.word);
    *place = term;
}

/* The table of a word at the top of the stack, huber { delta = 0.5, weight = 0.2 }. */
static void read_entry(Reader *r, const Word *word)
{
    const int row = row_of(word->word);
    Arg args[MAX_ARGS + 1];
    ArgSpec specs[MAX_ARGS + 2] = { { .name = NULL } };
    if (row < 0)
        fail(word->loc, "%s: %s is no loss; loss wants %s", r->places->word, word->word, example);
    LossTerm term = with_defaults(loss_specs[row], 1, word->loc);
    int count = 0;
    for (; loss_specs[row]->args[count].name; count++)
        specs[count] = loss_specs[row]->args[count];
    specs[count] = (ArgSpec){ "weight", ARG_REAL, .number = 1, .min = 0, .max = most };
    specs[count + 1].name = NULL;
    push_args(r->L, word);
    ArgumentPlaces places = { r->places->source, word->word, word->loc, word->at, "" };
    read_arguments(r->L, &places, specs, NULL, args);
    lua_pop(r->L, 1);
    for (int i = 0; i < count; i++)
        term.choice.number[i] = args[i].number;
    term.weight = args[count].number;
    put(r, term);
}

/* The entries without names, each a loss's word. */
static void read_list(Reader *r)
{
    const size_t count = lua_length(r->L, -1);
    for (size_t i = 1; i <= count && i <= MAX_LOSSES; i++) {
        Word word;
        lua_rawgeti(r->L, -1, (int)i);
        if (!read_word(r->L, r->places->source, &word))
            fail(r->loc, "%s: entry %d of loss is no loss with its numbers; loss wants %s",
                 r->places->word, (int)i, example);
        read_entry(r, &word);
        lua_pop(r->L, 1);
    }
}

/* Puts a table of what has a name, of the table at the top of the stack, on top of it. */
static void push_named(Reader *r)
{
    const size_t count = lua_length(r->L, -1);
    lua_newtable(r->L);
    lua_pushnil(r->L);
    while (lua_next(r->L, -3)) {
        const bool listed = lua_type(r->L, -2) == LUA_TNUMBER;
        if (listed && !(lua_tonumber(r->L, -2) >= 1 && lua_tonumber(r->L, -2) <= (double)count))
            fail(r->loc, "%s: loss wants a list without holes, or names; such as %s",
                 r->places->word, example);
        lua_pushvalue(r->L, -2);
        lua_insert(r->L, -2);
        if (listed)
            lua_pop(r->L, 2);
        else
            lua_rawset(r->L, -4);
    }
}

/* The entries with names, mse = 0.8. */
static void read_named(Reader *r)
{
    ArgSpec specs[MAX_LOSSES + 1] = { { .name = NULL } };
    Arg args[MAX_LOSSES];
    int count = 0;
    for (; loss_specs[count]; count++)
        specs[count] = (ArgSpec){ loss_specs[count]->word, ARG_REAL, .number = -1, .min = 0,
                                  .max = most };
    ArgumentPlaces places = *r->places;
    places.prefix = arena_format("%sloss.", places.prefix);
    places.loc = r->loc;
    push_named(r);
    read_arguments(r->L, &places, specs, NULL, args);
    lua_pop(r->L, 1);
    for (int i = 0; i < count; i++)
        if (args[i].number >= 0)
            put(r, with_defaults(loss_specs[i], args[i].number, args[i].loc));
}

static LossSum collect(const Reader *r)
{
    LossTerm *terms = ARENA_ARRAY(LossTerm, MAX_LOSSES);
    int count = 0;
    double weights = 0;
    for (int i = 0; i < MAX_LOSSES; i++)
        if (r->terms[i].choice.word)
            terms[count++] = r->terms[i];
    for (int i = 0; i < count; i++)
        weights += terms[i].weight;
    if (!(weights > 0))
        fail(r->loc, "%s: loss names no loss with a weight above 0; it wants %s", r->places->word,
             example);
    return sum_of(terms, count, r->loc);
}

bool has_losses(lua_State *L)
{
    lua_getfield(L, -1, "loss");
    const bool table = lua_istable(L, -1);
    lua_pop(L, 1);
    return table;
}

LossSum load_losses(lua_State *L, const ArgumentPlaces *places)
{
    Reader r = { L, places, places->loc, { { .weight = 0 } } };
    Word word;
    if (places->at >= 0)
        r.loc = source_argument(places->source, places->at, arena_format("%sloss", places->prefix));
    lua_getfield(L, -1, "loss");
    if (read_word(L, places->source, &word)) {
        read_entry(&r, &word);
    } else {
        read_named(&r);
        read_list(&r);
    }
    lua_pop(L, 1);
    return collect(&r);
}
