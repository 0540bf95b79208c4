/* Random legal graphs: each is compiled in double, and its forward pass, gradients, groups of
 * images and training table are held against the naive operators, central differences, single
 * images and what was drawn; where layers take statistics of a batch, updates too (groups.h); many
 * within a limit of memory, some as libraries too (libraries.h).
 * numbers.h says which are run. */
#define _POSIX_C_SOURCE 200809L
#include "build.h"
#include "cases.h"
#include "draw.h"
#include "drive.h"
#include "files.h"
#include "groups.h"
#include "libraries.h"
#include "limits.h"
#include "numbers.h"
#include "parts.h"
#include "process.h"
#include "rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 6, DRAWS = 50 };

typedef struct Legal {
    Drawn *drawn;
    char *graph, *options;
    const char *target;
    bool texts; /* look at what caec prints too, and at the other Lua's bytes */
} Legal;

/* What all graphs of this run were found to be. */
static struct {
    int graphs, undecodable, grouped, normed, noisy, forced, redrawn, staged, stages;
    int limited, libraries, streams;
    GradientCheck gradients;
} tally;

/* ---- a graph and its options ---- */

static bool compiles(const char *folder, const char *options)
{
    Result result = run_caec(folder, "net.lua --stop-after plan %s", options);
    bool refused = result.exit_code == 2 && strstr(result.err, " does not compute ");
    if (!refused)
        want_exit(&result, 0);
    result_free(&result);
    return !refused;
}

/* Whether `stages` may stand in the graph; a stage that needs what a later one trains is
   refused. */
static bool allows(const char *graph, const char *stages)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *whole = text_of("%.*s  stages = { %s{} },\n}\n", (int)strlen(graph) - 2, graph, stages);
    file_write(path, whole, strlen(whole));
    Result result = run_caec(folder, "net.lua --stop-after plan");
    bool refused = result.exit_code == 1 && strstr(result.err, "stages: ");
    if (!refused)
        want_exit(&result, 0);
    result_free(&result);
    free(whole);
    free(path);
    folder_remove(folder);
    return !refused;
}

/* Up to two stages, each on what the one before leaves: pairs of a layer of the encoder and one of
   the decoder, that reads a value of the same shape. */
static void add_stages(Legal *legal, uint64_t *state)
{
    NetPlace places[NET_PLACES];
    int count = net_places(&legal->drawn->net, places), encoder = 0, first = 0, last = count,
        entries = 0;
    while (places[encoder].part == 0)
        encoder++;
    char *stages = text_of("%s", "");
    for (int tries = 0; tries < 30 && entries < 2 && first < encoder && last > encoder; tries++) {
        int cut = rng_between(state, first, encoder - 1),
            from = rng_between(state, encoder, last - 1);
        NetSize a = places[cut].out, b = places[from].in;
        if (a.height != b.height || a.width != b.width || a.channels != b.channels
            || a.flat != b.flat)
            continue;
        char *more = text_of("%s{ encoder = \"%s\", decoder = \"%s\" }, ", stages, places[cut].name,
                             places[from].name);
        bool fits = allows(legal->graph, more);
        free(fits ? stages : more);
        if (fits) {
            stages = more;
            first = cut + 1;
            last = from;
            entries++;
        }
    }
    if (entries) {
        char *whole = text_of("%.*s  stages = { %s{} },\n}\n", (int)strlen(legal->graph) - 2,
                              legal->graph, stages);
        free(legal->graph);
        legal->graph = whole;
        legal->drawn->training.epochs *= entries + 1;
        tally.staged++;
        tally.stages += entries;
    }
    free(stages);
}

/* One that computes layers of that kind; NULL: there is no choice. */
static const char *drawn_kernel(LayerKind kind, uint64_t *state)
{
    static const char *const conv[] = { "conv_plain",    "conv_direct",   "conv_thin",
                                        "conv_winograd", "conv_winograd", "conv_winograd_line" },
                             *const dense[] = { "dense_plain", "dense_blas" },
                             *const depthwise[] = { "depthwise", "conv_plain" };
    return kind == CONV || kind == DECONV ? conv[rng_below(state, 6)]
           : kind == DENSE                ? dense[rng_below(state, 2)]
           : kind == DEPTHWISE            ? depthwise[rng_below(state, 2)]
                                          : NULL;
}

/* Some layers are computed by kernels drawn among those that fit, whole or a single pass of
   them. */
static void force_kernels(Legal *legal, uint64_t *state)
{
    static const char *const passes[] = { "", "", ".forward", ".dx", ".dw" };
    NetPlace places[NET_PLACES];
    int count = net_places(&legal->drawn->net, places);
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, legal->graph, strlen(legal->graph));
    for (int i = 0; i < count; i++) {
        const char *kernel = drawn_kernel(places[i].layer->kind, state);
        if (!kernel || rng_chance(state, 30))
            continue;
        char *more = text_of("%s --kernel %s%s=%s", legal->options, places[i].name,
                             passes[rng_below(state, 5)], kernel);
        bool fits = compiles(folder, more);
        tally.forced += fits;
        free(fits ? legal->options : more);
        if (fits)
            legal->options = more;
    }
    free(path);
    folder_remove(folder);
}

/* Training keeps to a limit of memory. */
static void limit_memory(Legal *legal, uint64_t *state)
{
    char *options = text_of("--real double %s", legal->options);
    size_t limit = draw_limit(legal->graph, options, state);
    free(options);
    options = text_of("%s --memory-limit %zu", legal->options, limit);
    free(legal->options);
    legal->options = options;
    tally.limited++;
}

/* Whether a max-pool whose places are kept meets two values so near each other that rounding
   decides between them, in one of the images. */
static bool has_ties(const Net *net)
{
    int count;
    double *parameters = net_parameters(net, 7, &count);
    bool ties = false;
    static const unsigned seeds[] = { 20, 31, 32 };
    for (int i = 0; i < 3; i++) {
        uint8_t *image = net_image(net, seeds[i]);
        ties = ties || net_has_ties(net, parameters, image, 1e-9);
        free(image);
    }
    ties = ties || groups_have_ties(net, parameters);
    free(parameters);
    return ties;
}

static Legal draw_legal(uint64_t seed, int number)
{
    static const char *const targets[] = { "c",         "c",         "c",         "c",
                                           "x86-64-v3", "x86-64-v3", "x86-64-v2", "native" };
    uint64_t state = draw_state(seed, number, 1);
    Legal legal = { .target = targets[rng_below(&state, 8)], .texts = rng_chance(&state, 30) };
    for (int i = 0; i < DRAWS; i++) {
        legal.drawn = draw_net(seed + (uint64_t)i * 0x100000001u, number);
        if (!has_ties(&legal.drawn->net))
            break;
        tally.redrawn++;
        drawn_free(legal.drawn);
        legal.drawn = NULL;
    }
    assert_non_null(legal.drawn);
    legal.graph = net_graph(&legal.drawn->net);
    if (strcmp(legal.target, "native") != 0 && !machine_has(legal.target))
        legal.target = "c";
    legal.options = text_of("--target %s", legal.target);
    return legal;
}

/* ---- the checks ---- */

/* Everything that caec prints about a graph; and the same bytes by the other Lua. */
static void check_texts(const Legal *legal, const char *folder)
{
    Result result = run_caec(
        folder, "net.lua --real double %s --summary --memory --dot --dump plan --stop-after plan",
        legal->options);
    want_exit(&result, 0);
    assert_true(result.out_length > 500);
    if (caec_other()) {
        Result other = run(
            folder,
            "%s net.lua --real double %s --summary --memory --dot --dump plan --stop-after plan",
            caec_other(), legal->options);
        assert_string_equal(other.out, result.out);
        result_free(&other);
        other = run(folder, "%s net.lua -o other --no-runtime --real double %s", caec_other(),
                    legal->options);
        want_exit(&other, 0);
        result_free(&other);
        char *a = text_of("%s/net", folder), *b = text_of("%s/other/net", folder);
        want_same_files(a, b);
        free(a);
        free(b);
    }
    result_free(&result);
}

static void check_noise(const Net *net, const Built *built, const double *parameters)
{
    Model drawing = drawing_model(built->model);
    Driven driven = drive_new(&drawing, parameters);
    GradientCheck check = { .tolerance = 1e-6, .places = 2, .random = true };
    check_gradient_by(net, &driven, parameters, &check);
    drive_free(&driven);
}

/* Each stage's loss has its gradient, and what it does not train has none. */
static void check_stages(const Net *net, const Model *model, const double *parameters)
{
    for (int s = 0; s + 1 < model->stage_count; s++) {
        Part part;
        part_of(model, s, &part);
        Driven driven = drive_new(&part.model, parameters);
        check_rest(net, &driven, model, s, true);
        check_gradient_by(net, &driven, parameters, &tally.gradients);
        drive_free(&driven);
    }
}

/* Training of images that have nothing to do with each other. */
static void check_apart(const Legal *legal, const Built *built, Driven *driven,
                        const double *parameters)
{
    const Net *net = &legal->drawn->net;
    check_gradient_by(net, driven, parameters, &tally.gradients);
    check_stages(net, built->model, parameters);
    if (legal->drawn->noisy)
        check_noise(net, built, parameters);
}

static void check_all(const Legal *legal)
{
    const Net *net = &legal->drawn->net;
    int count;
    double *parameters = net_parameters(net, 7, &count);
    uint8_t *image = net_image(net, 20);
    Built built = build_model_merged(legal->graph, legal->options);
    net_check(net, built.model);
    assert_int_equal(count, built.model->parameter_reals);
    check_training(legal->drawn, built.model);
    Driven driven = drive_new(built.model, parameters);
    check_forward(net, &driven, parameters, image, 1e-12);
    if (built.model->microbatch)
        check_microbatches(net, &driven, 1e-12);
    if (built.model->groups)
        check_groups(net, built.model, parameters, legal->drawn->noisy, &tally.gradients);
    else
        check_apart(legal, &built, &driven, parameters);
    drive_free(&driven);
    if (legal->texts)
        check_texts(legal, built.folder);
    tally.graphs++;
    tally.undecodable += !built.model->decode;
    tally.grouped += built.model->microbatch > 0;
    tally.normed += built.model->groups != NULL;
    tally.noisy += legal->drawn->noisy;
    built_free(&built);
    free(parameters);
    free(image);
}

/* ---- the run ---- */

static Legal current;

static void one(void **state)
{
    const Number *number = *state;
    uint64_t choices = draw_state(number->seed, number->number, 2);
    uint64_t limits = draw_state(number->seed, number->number, 3);
    current = draw_legal(number->seed, number->number);
    numbers_under_test(&current.graph, &current.options);
    if (rng_chance(&choices, 50))
        add_stages(&current, &choices);
    if (rng_chance(&choices, 40))
        force_kernels(&current, &choices);
    if (rng_chance(&limits, 60))
        limit_memory(&current, &limits);
    check_all(&current);
    if (rng_chance(&limits, 25)) {
        tally.libraries++;
        tally.streams += check_libraries(&current.drawn->net, current.target, &limits,
                                         &current.graph, &current.options);
    }
    numbers_passed();
}

static int end(void **state)
{
    numbers_end(*state);
    if (current.drawn)
        drawn_free(current.drawn);
    free(current.graph);
    free(current.options);
    current = (Legal){ 0 };
    return 0;
}

/* Of enough graphs most tensors have a gradient and few places a kink: else the checks above would
   say little. */
static void report(void **state)
{
    (void)state;
    const GradientCheck *g = &tally.gradients;
    print_message(
        "of %d graphs %d cannot decode a latent alone, %d take images in microbatches, %d "
        "normalise over groups of a batch, %d draw noise, %d are trained in stages (%d besides the "
        "last), %d keep to a limit of memory, %d are libraries too, %d of these infer by rows; %d "
        "kernels were forced; %d graphs were drawn anew for ties; of %d tensors %d have no "
        "gradient, of %d slopes %d lie at a kink\n",
        tally.graphs, tally.undecodable, tally.grouped, tally.normed, tally.noisy, tally.staged,
        tally.stages, tally.limited, tally.libraries, tally.streams, tally.forced, tally.redrawn,
        g->tensors, g->dead, g->looked, g->kinks);
    assert_true(tally.graphs < 20 || (g->dead * 5 <= g->tensors && g->kinks * 10 <= g->looked));
}

int main(void)
{
    tally.gradients = (GradientCheck){ .tolerance = 1e-6, .places = PLACES, .random = true };
    return numbers_run("random legal graphs", "legal", 12, one, end, report);
}
