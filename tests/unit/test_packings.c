/* Packings of weights are computed twice: by the text that is emitted and, for weights that caec
   writes itself, by its twin in C. Here the text of every kind is compiled and held against the
   twin; and a kind with several parameters goes the same way. */
#define _POSIX_C_SOURCE 200809L
#include "base/arena.h"
#include "base/embedded.h"
#include "emit/emit.h"
#include "emit/emitter.h"
#include "emit/holes.h"
#include "ops/ops.h"

#include "cases.h"
#include "drawn.h"
#include "files.h"
#include "process.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- a kind of two parameters ---- */

static const char scaled_text[] = "%kernel (weight, scale) -> (packing)\n"
                                  "{\n"
                                  "    for (int i = 0; i < ${COUNT}; i++)\n"
                                  "        packing[i] = weight[i] * scale[i % ${CO}];\n"
                                  "}\n";

static void compute_scaled(const Packing *packing, const float *const *parameters, float *values)
{
    const int channels = packing->parameter->shape.dim[3];
    for (size_t i = 0; i < packing->count; i++)
        values[i] = parameters[0][i] * parameters[1][i % (size_t)channels];
}

static const PackingKind scaled = { .name = "scaled",
                                    .suffix = "_scaled",
                                    .parameters = { "weight", "scale" },
                                    .text = "packing_of_two.c.in",
                                    .comment = "scaled by channel",
                                    .values = compute_scaled };

/* ---- the packings ---- */

enum { MOST = 64, IN = 5, OUT = 19 };

typedef struct Cases {
    Packing packing[MOST];
    int count, lanes;
} Cases;

static void add(Cases *cases, Packing packing)
{
    assert_true(cases->count < MOST);
    packing.name = arena_format("p%d", cases->count);
    cases->packing[cases->count++] = packing;
}

static const Node *kernel_of(int height, int width, int in, int out)
{
    Node *node = ARENA_NEW(Node);
    node->name = "encoder.conv1.kernel";
    node->word = "conv2d";
    node->shape = (Shape){ .rank = 4, .dim = { height, width, in, out } };
    return node;
}

static const Node *vector_of(int length)
{
    Node *node = ARENA_NEW(Node);
    node->name = "encoder.conv1.scale";
    node->word = "conv2d";
    node->shape = (Shape){ .rank = 1, .dim = { length } };
    return node;
}

static Folding folding(int stride, int up, int pad_top, int pad_left)
{
    return (
        Folding){ { stride, stride }, { 1, 1 }, { up, up }, { pad_top, pad_left }, .groups = 1 };
}

static void add_copies(Cases *cases, int lanes)
{
    const Node *three = kernel_of(3, 3, IN, OUT), *five = kernel_of(5, 5, OUT, IN),
               *flat = kernel_of(2, 5, IN, 2 * OUT);
    add(cases, packing_plain(three, lanes));
    add(cases, packing_plain(vector_of(OUT), lanes));
    add(cases, packing_blocks(three, 2 * lanes, lanes, (Taps){ false, 1, 1, 1 }));
    add(cases, packing_blocks(three, 2 * lanes, lanes, (Taps){ true, 1, 1, 1 }));
    for (int stride = 1; stride <= 3; stride++) {
        add(cases, packing_blocks(five, lanes, lanes, (Taps){ true, stride, 1, 1 }));
        add(cases, packing_blocks(flat, lanes, lanes, (Taps){ stride != 2, stride, 2, 2 }));
    }
    add(cases, packing_folded(three, 2 * lanes, lanes, folding(1, 2, 1, 1)));
    add(cases, packing_folded(five, lanes, lanes, folding(2, 3, 2, 1)));
    add(cases, packing_folded(five, lanes, lanes, folding(3, 2, 0, 2)));
    add(cases, packing_folded(flat, lanes, lanes,
                              (Folding){ { 1, 3 }, { 3, 2 }, { 2, 1 }, { 4, 1 }, .groups = 2 }));
}

static void add_transforms(Cases *cases, int lanes)
{
    const Node *ragged = kernel_of(3, 3, IN, OUT), *whole = kernel_of(3, 3, IN, 4 * lanes);
    add(cases, packing_columns(whole, 2 * lanes, lanes));
    Node *line = ARENA_NEW(Node);
    *line = *ragged;
    line->shape.dim[0] = 1;
    for (int turned = 0; turned < 2; turned++) {
        add(cases, packing_line(ragged, 2 * lanes, lanes, turned));
        add(cases, packing_line(whole, lanes, lanes, turned));
        add(cases, packing_line(line, 2 * lanes, lanes, turned));
    }
    for (int up = 1; up <= 2; up++)
        for (int turned = 0; turned < 2; turned++) {
            add(cases, packing_winograd(ragged, 2 * lanes, lanes, up, turned));
            add(cases, packing_winograd(whole, lanes, lanes, up, turned));
        }
}

static Packing scaled_packing(void)
{
    const Node *kernel = kernel_of(3, 3, IN, OUT);
    return (Packing){ .kind = &scaled,
                      .parameter = kernel,
                      .folded = { vector_of(OUT) },
                      .count = (size_t)shape_count(kernel->shape) };
}

/* What a batch_norm makes of a kernel and a bias. */
static const Node *made_of(const Op *op, const Node *first, const Node *channels,
                           const double numbers[4])
{
    Node *node = ARENA_NEW(Node);
    node->op = op;
    node->name = "encoder.bn1.made";
    node->shape = first->shape;
    for (int i = 0; i < op->arity; i++)
        node->input[i] = (Node *)(uintptr_t)(i ? channels : first);
    Node *variance = ARENA_NEW(Node);
    *variance = *channels;
    variance->name = "encoder.bn1.variance";
    node->input[op->arity - 1] = variance;
    memcpy(node->number, numbers, sizeof *numbers * 4);
    return node;
}

static void add_scaled(Cases *cases)
{
    const Node *kernel = kernel_of(3, 2, IN, OUT), *transposed = kernel_of(3, 3, 4, 6),
               *vector = vector_of(OUT);
    add(cases, packing_prepared(
                   made_of(&op_scaled_kernel, kernel, vector, (double[]){ 0.01, OUT, 1, 1 })));
    add(cases, packing_prepared(made_of(&op_scaled_kernel, transposed, vector_of(12),
                                        (double[]){ 0.25, 6, 2, 4 })));
    add(cases, packing_prepared(made_of(&op_scaled_bias, vector, vector, (double[4]){ 0.01 })));
    add(cases, packing_prepared(made_of(&op_scaled_offset, vector, vector, (double[4]){ 1e-3 })));
}

static Cases all_cases(int lanes)
{
    Cases cases = { .lanes = lanes };
    add_copies(&cases, 1);
    if (lanes > 1)
        add_copies(&cases, lanes);
    add_transforms(&cases, lanes);
    add(&cases, scaled_packing());
    add_scaled(&cases);
    return cases;
}

/* Nobody adds a kind without a case. */
static void want_all_kinds(const Cases *cases)
{
    for (int k = 0; all_packing_kinds[k]; k++) {
        int count = 0;
        for (int i = 0; i < cases->count; i++)
            count += cases->packing[i].kind == all_packing_kinds[k];
        if (count == 0)
            fail_msg("no case of packings of kind %s", all_packing_kinds[k]->name);
    }
}

/* ---- their texts, compiled ---- */

/* The words of a call that makes a packing. */
static const char words_text[] =
    "%include packing_words.c.in\n"
    "${table.concat(packing_words { packing = row, parameters = \"from\" }, \", \")}\n";

static int embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *text = strcmp(name, scaled.text) == 0 ? scaled_text
                                                       : strcmp(name, "words.in") == 0
                                                           ? words_text
                                                           : embedded_named(name)->text;
    lua_pushstring(L, text);
    lua_pushstring(L, name);
    return 2;
}

/* The expander with that text among those of caec. */
static lua_State *expander(void)
{
    lua_State *L = lua_new_trusted();
    const EmbeddedFile *file = embedded_find("emit/template.lua");
    assert_int_equal(lua_load_text(L, file->text, file->length, "=template.lua"), 0);
    lua_pushcfunction(L, embedded);
    assert_int_equal(lua_pcall(L, 1, 1, 0), 0);
    return L;
}

static const char graph_text[] =
    "return autoencoder \"sample\" { input = { 4, 4, 1 },\n"
    "  encoder = sequential \"a\" { conv2d { filters = 1, kernel = 1 } },\n"
    "  decoder = sequential \"b\" { conv2d { filters = 1, kernel = 1 } } }\n";

/* A plan as far as the holes of packings ask for it. */
static Plan plan_for(const char *target)
{
    Graph *graph = ARENA_NEW(Graph);
    graph->name = "sample";
    return (Plan){ .graph = graph, .settings = { .target = target_find(target) } };
}

/* All texts as one library in the folder, with the vectors of an emitted graph. */
static void *compile(const char *folder, const Plan *plan, const Cases *cases)
{
    lua_State *L = expander();
    Text text = { 0 };
    text_add(&text, "#include \"sample_kernels.h\"\n\n");
    for (int i = 0; i < cases->count; i++) {
        push_packing_holes(L, plan, &cases->packing[i]);
        text_add(&text, "%s\n", template_expand(L, cases->packing[i].kind->text).data);
        lua_settop(L, 1);
    }
    lua_close(L);
    char *graph = text_of("%s/g.lua", folder), *c = text_of("%s/packings.c", folder),
         *library = text_of("%s/packings.so", folder);
    file_write(graph, graph_text, strlen(graph_text));
    file_write(c, text.data, text.length);
    const char *target = plan->settings.target->name;
    Result emitted = run_caec(folder, "g.lua -o . --no-runtime --target %s", target);
    want_exit(&emitted, 0);
    Result compiled = run(folder,
                          "%s -std=c11 -O1 -fPIC -shared %s-Wall -Wextra -Werror -DCAEC_REAL=float "
                          "-I%s -Isample packings.c -o packings.so",
                          c_compiler(), strcmp(target, "c") == 0 ? "" : "-march=native ",
                          runtime_folder());
    want_exit(&compiled, 0);
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        fail_msg("%s", dlerror());
    result_free(&emitted);
    result_free(&compiled);
    free(graph);
    free(c);
    free(library);
    return handle;
}

/* ---- both ways ---- */

typedef void OneParameter(const float *, float *);
typedef void TwoParameters(const float *, const float *, float *);
typedef void ThreeParameters(const float *, const float *, const float *, float *);
typedef void FourParameters(const float *, const float *, const float *, const float *, float *);
typedef void FiveParameters(const float *, const float *, const float *, const float *,
                            const float *, float *);

static void call(void *handle, const Packing *packing, const float *const *p, float *to)
{
    char *name = text_of("prepare_%s", packing->name);
    union {
        void *any;
        OneParameter *one;
        TwoParameters *two;
        ThreeParameters *three;
        FourParameters *four;
        FiveParameters *five;
    } prepare = { .any = dlsym(handle, name) };
    int count = 0;
    assert_non_null(prepare.any);
    while (packing_parameter(packing, count))
        count++;
    assert_in_range(count, 1, 5);
    if (count == 1)
        prepare.one(p[0], to);
    else if (count == 2)
        prepare.two(p[0], p[1], to);
    else if (count == 3)
        prepare.three(p[0], p[1], p[2], to);
    else if (count == 4)
        prepare.four(p[0], p[1], p[2], p[3], to);
    else
        prepare.five(p[0], p[1], p[2], p[3], p[4], to);
    free(name);
}

static float *drawn_values(const Node *parameter, unsigned seed)
{
    const size_t count = (size_t)shape_count(parameter->shape);
    float *values = arena_alloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(2 * drawn(seed, i) - 1);
    for (size_t i = 0; i < count && strcmp(parameter->name, "encoder.bn1.variance") == 0; i++)
        values[i] = fabsf(values[i]);
    return values;
}

/* Kinds that transform round at each step in float: within `part` of the largest. */
static double tolerance_of(const Packing *packing)
{
    return strcmp(packing->kind->comment, "transformed") == 0 ? 1e-6 : 0;
}

static void want_same(const Packing *packing, const float *text, const float *twin)
{
    double most = 0;
    for (size_t i = 0; i < packing->count; i++)
        most = fmax(most, fabs((double)twin[i]));
    assert_true(most > 0.1);
    for (size_t i = 0; i < packing->count; i++)
        if (!(fabs((double)text[i] - (double)twin[i]) <= tolerance_of(packing) * most))
            fail_msg("%s, a packing of kind %s: number %zu of %zu is %.9g in text, %.9g in C",
                     packing->name, packing->kind->name, i, packing->count, (double)text[i],
                     (double)twin[i]);
}

static void compare(void *handle, const Packing *packing)
{
    const float *parameters[PACKING_PARAMETERS];
    const Node *one;
    for (int i = 0; (one = packing_parameter(packing, i)) != NULL; i++)
        parameters[i] = drawn_values(one, (unsigned)i + 1);
    const size_t room = packing->count + 64;
    float *text = arena_alloc(room * sizeof *text), *twin = arena_alloc(room * sizeof *twin);
    for (size_t i = 0; i < room; i++)
        text[i] = twin[i] = 7; /* what neither writes stays */
    call(handle, packing, parameters, text);
    packing->kind->values(packing, parameters, twin);
    want_same(packing, text, twin);
    for (size_t i = packing->count; i < room; i++)
        assert_true(text[i] == 7 && twin[i] == 7);
}

static void check_target(const char *target)
{
    const Plan plan = plan_for(target);
    const Cases cases = all_cases(settings_lanes(&plan.settings));
    want_all_kinds(&cases);
    char *folder = folder_new();
    void *handle = compile(folder, &plan, &cases);
    for (int i = 0; i < cases.count; i++)
        compare(handle, &cases.packing[i]);
    print_message("%s: %d packings\n", target, cases.count);
    dlclose(handle);
    folder_remove(folder);
}

static void text_and_values_are_the_same(void **state)
{
    (void)state;
    check_target("c");
    check_target("native");
}

/* What prepare() calls, and the function that it calls, have all parameters in the same order. */
static void functions_take_all_parameters(void **state)
{
    (void)state;
    Packing packing = scaled_packing();
    packing.name = "conv1_scaled";
    const Plan plan = plan_for("c");
    lua_State *L = expander();
    push_packing_holes(L, &plan, &packing);
    template_expand(L, packing.kind->text);
    assert_string_equal(lua_tostring(L, 2),
                        "void prepare_conv1_scaled(const float *restrict weight, const float "
                        "*restrict scale,\n                          float *restrict packing);");
    lua_settop(L, 1);
    lua_newtable(L);
    push_packing_row(L, &packing);
    lua_setfield(L, -2, "row");
    Text words = template_expand(L, "words.in");
    assert_string_equal(words.data, "from + P_ENCODER_CONV1_KERNEL, from + P_ENCODER_CONV1_SCALE, "
                                    "w + W_CONV1_SCALED\n");
    lua_close(L);
}

static void packings_differ_in_every_parameter(void **state)
{
    (void)state;
    Packing a = scaled_packing(), b = a;
    assert_true(packing_same(&a, &b) && packing_alike(&a, &b));
    assert_true(packing_reads(&a, a.folded[0]) && packing_reads(&a, a.parameter));
    b.folded[0] = vector_of(OUT);
    assert_false(packing_same(&a, &b) || packing_reads(&a, b.folded[0]));
    assert_true(packing_alike(&a, &b));
    b.folded[0] = vector_of(OUT + 1);
    assert_false(packing_alike(&a, &b));
    assert_null(packing_parameter(&a, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(text_and_values_are_the_same),
                                        cmocka_unit_test(functions_take_all_parameters),
                                        cmocka_unit_test(packings_differ_in_every_parameter) };
    return cmocka_run_group_tests_name("packings", tests, NULL, NULL);
}
