#include "train_help.h"

#include "settings.h"
#include "train_option_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Model *the_model; /* argp's hooks take no argument of ours */

/* What the graph says where an option is left out, as --help shows it; "" where it says nothing of
   that. */
static void graph_default(int key, char text[SETTINGS_TEXT])
{
    const ModelTraining *t = &the_model->training;
    const struct {
        int key;
        double value;
    } numbers[] = {
        { KEY_EPOCHS, t->epochs },         { KEY_BATCH, t->batch },
        { KEY_LR, t->optimizer.lr },       { KEY_EMA, t->optimizer.ema },
        { KEY_CLIP_NORM, t->clip_norm },   { KEY_GLOBAL_CLIP_NORM, t->global_clip_norm },
        { KEY_CLIP_VALUE, t->clip_value }, { KEY_PATIENCE, t->patience },
        { KEY_MIN_DELTA, t->min_delta },
    };
    *text = '\0';
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].key == key)
            settings_number_text(numbers[i].value, text, SETTINGS_TEXT);
    if (key == KEY_OPTIMIZER)
        settings_optimizer_text(&t->optimizer, text);
    if (key == KEY_SCHEDULE)
        settings_schedule_text(&t->schedule, text);
    if (key == KEY_LOSS)
        snprintf(text, SETTINGS_TEXT, "%s", t->loss);
    if (key == KEY_MIRROR || key == KEY_NO_MIRROR)
        snprintf(text, SETTINGS_TEXT, "mirror = %s", t->mirror ? "true" : "false");
}

/* What the %s of an option's text stands for. */
static void there_are(int key, char list[SETTINGS_LIST])
{
    *list = '\0';
    if (key == KEY_OPTIMIZER)
        settings_list(settings_optimizers, list);
    if (key == KEY_SCHEDULE)
        settings_list(settings_schedules, list);
}

/* argp frees what is returned where it is not the text it gave. */
static char *help_filter(int key, const char *text, void *input)
{
    char graph[SETTINGS_TEXT] = "", list[SETTINGS_LIST];
    (void)input;
    if (key >= FIRST_KEY && key < KEY_END)
        graph_default(key, graph);
    if (!text || !*graph)
        return (char *)text;
    there_are(key, list);
    const char *place = *list ? strstr(text, "%s") : NULL;
    const int before = place ? (int)(place - text) : (int)strlen(text);
    size_t size = strlen(text) + strlen(list) + strlen(graph) + sizeof " (the graph's: )";
    char *longer = malloc(size);
    if (!longer)
        return (char *)text;
    snprintf(longer, size, "%.*s%s%s (the graph's: %s)", before, text, list, place ? place + 2 : "",
             graph);
    return longer;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s-train (caec %s)\n", the_model->name, the_model->version);
}

/* Of the model's name and graph, and what the commands do. */
static const char about[] =
    "Trains the network \"%s\" of %s; without --train, on built-in pictures.\v%s.\n\n"
    "What the graph's training table says holds where an option is left out, and with --resume "
    "what the run was told: its seed, batch and "
    "kind of optimizer stay, other options of training are taken up from there on; "
    "what is given again changes nothing.\n\n"
    "--train and --val may be given several times: the pictures of one folder come "
    "behind those of the other. Of any other option that is given twice the last counts, "
    "and a warning says so.\n\n"
    "Exits with 0 done, 1 the input is wrong, 2 bad usage, 3 a file could not be read or "
    "written, 129, 130, 143 or 128 + N stopped by SIGHUP, SIGINT, SIGTERM or another "
    "signal N: the run is saved first and --resume goes on.";

void train_help_set(struct argp *argp, const Model *model, const char *lines, const char *sentence)
{
    static char doc[2048];
    snprintf(doc, sizeof doc, about, model->name, model->graph, sentence);
    the_model = model;
    argp->args_doc = lines;
    argp->doc = doc;
    argp->help_filter = help_filter;
    argp_program_version_hook = print_version;
}
