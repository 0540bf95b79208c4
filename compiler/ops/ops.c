#include "ops.h"

#include "../base/text.h"

#include <string.h>

#define OP(name)
#define LAYER(name) extern const LayerSpec layer_##name;
#define LOSS(name) extern const LossSpec loss_##name;
#define OPTIMIZER(name) extern const ChoiceSpec optimizer_##name;
#define SCHEDULE(name) extern const ChoiceSpec schedule_##name;
#define ELEMENTWISE(name, number, from, properties, value, gradient) \
    extern const LayerSpec layer_##name;
#include "elementwise.def"
#include "ops.def"
#undef OP
#undef LAYER
#undef LOSS
#undef OPTIMIZER
#undef SCHEDULE
#undef ELEMENTWISE
extern const LayerSpec layer_linear;

#define OP(name)
#define LOSS(name)
#define OPTIMIZER(name)
#define SCHEDULE(name)
#define LAYER(name) &layer_##name,
#define ELEMENTWISE(name, number, from, properties, value, gradient) &layer_##name,
const LayerSpec *const layer_specs[] = {
#include "ops.def"
#include "elementwise.def"
    &layer_linear, NULL
};
#undef LAYER
#undef LOSS
#undef ELEMENTWISE

#define LAYER(name)
#define LOSS(name) &loss_##name,
const LossSpec *const loss_specs[] = {
#include "ops.def"
    NULL
};
#undef LOSS
#undef OPTIMIZER

#define LOSS(name)
#define OPTIMIZER(name) &optimizer_##name,
const ChoiceSpec *const optimizer_specs[] = {
#include "ops.def"
    NULL
};
#undef OPTIMIZER
#undef SCHEDULE

#define OPTIMIZER(name)
#define SCHEDULE(name) &schedule_##name,
const ChoiceSpec *const schedule_specs[] = {
#include "ops.def"
    NULL
};
#undef OPTIMIZER
#undef SCHEDULE
#undef OP

#define OP(name) &op_##name,
#define OPTIMIZER(name)
#define SCHEDULE(name)
#define ELEMENTWISE(name, number, from, properties, value, gradient) &op_##name, &op_##name##_dx,
const Op *const all_ops[] = {
#include "ops.def"
#include "elementwise.def"
    NULL
};
#undef ELEMENTWISE

#define ELEMENTWISE(name, number, from, properties, value, gradient) #name,
const char *const activation_names[] = {
#include "elementwise.def"
    "softmax", "linear", NULL
};

/* `"same" or "valid"`, the default first; of an activation the default alone, as each is a word of
   its own. */
static void add_choices(Text *text, const ArgSpec *arg)
{
    text_add(text, "\"%s\"", arg->text);
    for (int i = 0; arg->choices != activation_names && arg->choices[i]; i++)
        if (strcmp(arg->choices[i], arg->text) != 0)
            text_add(text, " or \"%s\"", arg->choices[i]);
}

static void add_padding(Text *text, const ArgSpec *arg)
{
    add_choices(text, arg);
    text_add(text, " or numbers");
}

const char *args_text(const ArgSpec *args)
{
    Text text = { 0 };
    for (int i = 0; args[i].name; i++) {
        text_add(&text, "%s%s%s", i ? ", " : "", args[i].name, args[i].required ? "" : " = ");
        if (args[i].required)
            continue;
        if (args[i].kind == ARG_CHOICE)
            add_choices(&text, &args[i]);
        else if (args[i].kind == ARG_PADDING)
            add_padding(&text, &args[i]);
        else if (args[i].kind == ARG_BOOL)
            text_add(&text, args[i].number ? "true" : "false");
        else if (args[i].text)
            text_add(&text, "%s", args[i].text);
        else
            text_add(&text, "%.15g", args[i].number);
    }
    return text.data;
}

const LayerSpec *layer_find(const char *word)
{
    for (int i = 0; layer_specs[i]; i++)
        if (strcmp(layer_specs[i]->word, word) == 0)
            return layer_specs[i];
    return NULL;
}

const LossSpec *loss_find(const char *word)
{
    for (int i = 0; loss_specs[i]; i++)
        if (strcmp(loss_specs[i]->word, word) == 0)
            return loss_specs[i];
    return NULL;
}

static const ChoiceSpec *find_choice(const ChoiceSpec *const *specs, const char *word)
{
    for (int i = 0; specs[i]; i++)
        if (strcmp(specs[i]->word, word) == 0)
            return specs[i];
    return NULL;
}

const ChoiceSpec *optimizer_find(const char *word)
{
    return find_choice(optimizer_specs, word);
}

const ChoiceSpec *schedule_find(const char *word)
{
    return find_choice(schedule_specs, word);
}

/* Its number of that name, which its row has. */
static double number_of(const Choice *choice, const ChoiceSpec *spec, const char *name)
{
    int k = 0;
    while (strcmp(spec->args[k].name, name) != 0)
        k++;
    return choice->number[k];
}

bool optimizer_keeps(const Choice *optimizer, int i)
{
    const ChoiceSpec *spec = optimizer_find(optimizer->word);
    const StateSpec *state = &spec->states[i];
    return state->name && (!state->where || number_of(optimizer, spec, state->where) != 0);
}

double optimizer_start(const Choice *optimizer, int i)
{
    const ChoiceSpec *spec = optimizer_find(optimizer->word);
    const char *start = spec->states[i].start;
    return start ? number_of(optimizer, spec, start) : 0;
}

int optimizer_states(const Choice *optimizer)
{
    int count = 0;
    for (int i = 0; optimizer_find(optimizer->word)->states[i].name; i++)
        count += optimizer_keeps(optimizer, i);
    return count;
}
