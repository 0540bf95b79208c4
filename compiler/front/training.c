#include "training.h"

#include "../base/arena.h"
#include "arguments.h"
#include "losses.h"

#include <string.h>

static const double huge = 1e6;

/* A field that wants one of some words: optimizer, schedule. The first word of the list with its
   defaults where the field is left out. The table `training` is at the top of the stack. */
static void load_choice(lua_State *L, const Source *source, const Word *model, const char *field,
                        const ChoiceSpec *const *specs, const char *example, Choice *choice,
                        Arg *args)
{
    Word word = { .word = specs[0]->word, .at = -1, .loc = model->loc };
    const ChoiceSpec *spec = NULL;
    lua_getfield(L, -1, field);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_newtable(L);
        lua_setfield(L, -2, "args");
        spec = specs[0];
    } else if (read_word(L, source, &word)) {
        for (int i = 0; specs[i] && !spec; i++)
            spec = strcmp(specs[i]->word, word.word) == 0 ? specs[i] : NULL;
    }
    if (!spec)
        fail(argument_loc(source, model, arena_format("training.%s", field)),
             "training: %s wants one of the %ss, such as %s", field, field, example);
    push_args(L, &word);
    ArgumentPlaces places = { source, word.word, word.loc, word.at, "" };
    read_arguments(L, &places, spec->args, NULL, args);
    choice->word = spec->word;
    for (int i = 0; spec->args[i].name; i++)
        choice->number[i] = args[i].number;
    lua_pop(L, 2);
}

/* The argument of that name; NULL where the word has none. */
static const Arg *find(const ChoiceSpec *spec, const Arg *args, const char *name)
{
    for (int i = 0; spec->args[i].name; i++)
        if (strcmp(spec->args[i].name, name) == 0)
            return &args[i];
    return NULL;
}

static void check_schedule(const Training *training, const Arg *optimizer, const Arg *schedule)
{
    const ChoiceSpec *spec = schedule_find(training->schedule.word);
    const Arg *min_lr = find(spec, schedule, "min_lr"), *epochs = find(spec, schedule, "epochs"),
              *warmup = find(spec, schedule, "warmup");
    double lr = find(optimizer_find(training->optimizer.word), optimizer, "lr")->number;
    double whole = epochs && epochs->number > 0 ? epochs->number : training->epochs;
    if (min_lr && min_lr->number > lr)
        fail(min_lr->loc,
             "%s: min_lr %.15g is above the optimizer's lr %.15g; use a smaller min_lr or a larger "
             "lr",
             spec->word, min_lr->number, lr);
    if (epochs && warmup->number >= whole)
        fail(warmup->loc,
             "%s: a warmup of %.15g epochs leaves nothing of %.15g; use a shorter warmup or more "
             "epochs",
             spec->word, warmup->number, whole);
}

static void load_early_stopping(lua_State *L, const Source *source, const Word *model,
                                Training *training)
{
    static const ArgSpec specs[] = {
        { "patience", ARG_INT, .required = true, .min = 1, .max = 1 << 24 },
        { "min_delta", ARG_REAL, .number = 0, .min = 0, .max = 1e6 },
        { .name = NULL },
    };
    Loc loc = argument_loc(source, model, "training.early_stopping");
    lua_getfield(L, -1, "early_stopping");
    if (lua_istable(L, -1)) {
        ArgumentPlaces places = { source, "early_stopping", loc, model->at,
                                  "training.early_stopping." };
        Arg args[MAX_ARGS];
        read_arguments(L, &places, specs, NULL, args);
        training->patience = (int)args[0].number;
        training->min_delta = args[1].number;
    } else if (!lua_isnil(L, -1)) {
        fail(loc, "training: early_stopping wants { patience = ..., min_delta = ... }");
    }
    lua_pop(L, 1);
}

/* Keras takes one way of clipping at a time, and so does caec. */
static void check_clipping(const Arg *args, int count)
{
    const Arg *first = NULL;
    for (int i = 0; i < count; i++) {
        if (first && args[i].number > 0)
            fail(args[i].loc,
                 "training: clip_norm, global_clip_norm and clip_value exclude each other; "
                 "keep one");
        if (args[i].number > 0)
            first = &args[i];
    }
}

/* Pushes the table `training` of the autoencoder's arguments; an empty one where there is none. */
static void push_training(lua_State *L, Loc loc)
{
    lua_getfield(L, -1, "training");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    } else if (!lua_istable(L, -1)) {
        fail(loc,
             "autoencoder: training wants { loss = ..., optimizer = ..., batch = ..., epochs = ... "
             "}");
    }
}

/* Its own fields, without those that hold words or tables. */
static void load_numbers(lua_State *L, const ArgumentPlaces *places, Training *training)
{
    enum { LOSS, BATCH, EPOCHS, CLIP_NORM, GLOBAL_CLIP_NORM, CLIP_VALUE, MIRROR, EMA };
    const ArgSpec specs[] = {
        { "loss", ARG_CHOICE, .text = loss_specs[0]->word, .choices = loss_words() },
        { "batch", ARG_INT, .number = 64, .min = 1, .max = 1 << 20 },
        { "epochs", ARG_INT, .number = 40, .min = 1, .max = 1 << 24 },
        { "clip_norm", ARG_REAL, .number = 0, .min = 0, .max = huge },
        { "global_clip_norm", ARG_REAL, .number = 0, .min = 0, .max = huge },
        { "clip_value", ARG_REAL, .number = 0, .min = 0, .max = huge },
        { "mirror", ARG_BOOL, .number = false },
        { "ema", ARG_REAL, .number = 0, .min = 0, .max = 0.999999 },
        { .name = NULL },
    };
    Arg args[MAX_ARGS];
    const bool sum = has_losses(L);
    read_arguments(L, places, specs + sum,
                   sum ? "loss optimizer schedule early_stopping"
                       : "optimizer schedule early_stopping",
                   args + sum);
    check_clipping(args + CLIP_NORM, 3);
    *training = (Training){
        .loss = sum ? load_losses(L, places) : loss_of_word(args[LOSS].text, args[LOSS].loc),
        .batch = (int)args[BATCH].number,
        .epochs = (int)args[EPOCHS].number,
        .clip_norm = args[CLIP_NORM].number,
        .global_clip_norm = args[GLOBAL_CLIP_NORM].number,
        .clip_value = args[CLIP_VALUE].number,
        .mirror = args[MIRROR].number != 0,
        .ema = args[EMA].number,
    };
}

void load_training(lua_State *L, const Source *source, const Word *model, Training *training)
{
    Loc loc = argument_loc(source, model, "training");
    ArgumentPlaces places = { source, "training", loc, model->at, "training." };
    Arg optimizer[MAX_ARGS], schedule[MAX_ARGS];
    push_training(L, loc);
    load_numbers(L, &places, training);
    load_choice(L, source, model, "optimizer", optimizer_specs, "adam { lr = 1e-3 }",
                &training->optimizer, optimizer);
    load_choice(L, source, model, "schedule", schedule_specs, "cosine { warmup = 2 }",
                &training->schedule, schedule);
    check_schedule(training, optimizer, schedule);
    load_early_stopping(L, source, model, training);
    lua_pop(L, 1);
}
