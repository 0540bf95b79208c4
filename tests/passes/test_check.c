/* The check of plans (program/check.h): good plans of several graphs, with limits of memory,
   dense, stages and streams, have no fault; and each, broken in one of the ways in which a
   transformation of plans could go wrong, has one. */
#include "budget/limit.h"
#include "front/load.h"
#include "passes/passes.h"
#include "program/assemble.h"
#include "program/check.h"

#undef fail
#include "cases.h"
#include "files.h"
#include "process.h"

#include "broken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRAPH(size_, encoder_, decoder_, more_)                             \
    "return autoencoder \"net\" { input = { " #size_ ", " #size_ ", 3 },\n" \
    "  encoder = sequential \"encoder\" { " encoder_ " },\n"                \
    "  decoder = sequential \"decoder\" { " decoder_ " },\n" more_ "}\n"
#define CONV(filters_, more_) "conv2d { filters = " #filters_ ", kernel = 3" more_ " }, "
#define RELU ", activation = \"relu\""
#define POOL "max_pool2d {}, "
#define UP "upsample2d {}, "

static const char first[] = GRAPH(16, CONV(8, ", use_bias = false" RELU) POOL CONV(4, ""),
                                  UP CONV(3, ""), "");
static const char pools[] = GRAPH(24, CONV(16, RELU) POOL CONV(16, RELU) POOL,
                                  CONV(16, RELU) UP CONV(3, "") UP, "");
static const char branches[] = GRAPH(
    12,
    "gaussian_noise { stddev = 0.1 }, " CONV(8, RELU)
        POOL CONV(8, "") "group_norm { groups = 2 }, tanh {}, add { with = \"encoder.pool1\" }",
    "max_unpool2d { pool = \"encoder.pool1\" }, concat { with = \"encoder.conv1\" },"
    "conv2d_transpose { filters = 3, kernel = 3, stride = 1 }",
    "");
static const char dense[] = GRAPH(
    8,
    CONV(4, RELU) POOL "flatten {}, dense { units = 12, activation = \"tanh\" },"
                       "dense { units = 7 }",
    "dense { units = 48, activation = \"elu\" }, reshape { shape = { 4, 4, 3 } }, " CONV(5, RELU)
        UP CONV(3, ""),
    "");
static const char stages[] = GRAPH(
    16, CONV(8, RELU) POOL CONV(8, RELU) POOL, UP CONV(8, RELU) UP CONV(3, ""),
    "stages = { { encoder = \"encoder.pool1\", decoder = \"decoder.up2\" }, {} },");

static const struct Case {
    const char *text, *target;
    bool limited, library, stream;
} cases[] = {
    { first, "c", true, false, false },          { pools, "x86-64-v3", false, false, false },
    { pools, "c", true, true, false },           { pools, "x86-64-v3", false, true, true },
    { branches, "c", false, false, false },      { branches, "x86-64-v3", true, false, false },
    { dense, "x86-64-v3", false, false, false }, { dense, "c", true, false, false },
    { stages, "c", true, false, false },
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- good plans ---- */

typedef struct Good {
    const Plan *plain;
    const MemorySaving *savings;
    int saving_count;
} Good;

static size_t smallest_limit(const char *folder, const struct Case *c)
{
    Result result = run_caec(folder, "net.lua --memory-limit 1 --target %s%s --stop-after plan",
                             c->target, c->library ? " --emit library" : "");
    want_exit(&result, 1);
    const char *at = strstr(result.err, "the smallest limit that works is ");
    assert_non_null(at);
    size_t limit = strtoull(at + strlen("the smallest limit that works is "), NULL, 10);
    result_free(&result);
    return limit;
}

static Good good_new(const struct Case *c)
{
    static void (*const passes[])(
        Graph * graph) = { pass_split_inference, pass_stages, pass_fold, pass_differentiate,
                           pass_commute,         pass_drop,   pass_fuse };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, c->text, strlen(c->text));
    Graph *graph = load_graph(path);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        passes[i](graph);
    const Settings settings = { .target = target_find(c->target),
                                .library = c->library,
                                .stream = c->stream,
                                .memory_limit = c->limited ? smallest_limit(folder, c) : 0 };
    Plan *plain = plan_open(graph, settings, NULL, 0, NULL);
    plan_choose_steps(plain);
    plan_finish(plain);
    Good g = { .plain = plain };
    g.saving_count = c->limited ? limit_savings(plain, &g.savings) : 0;
    assert_int_equal(c->limited, g.saving_count > 0);
    free(path);
    folder_remove(folder);
    return g;
}

static Plan *plan_new(const Good *g)
{
    return plan_with_savings(g->plain, g->savings, g->saving_count);
}

/* ---- the tests ---- */

enum { PLACES = 60 };

static Program *program_of(const Plan *plan, int k)
{
    Program **programs;
    return k < plan_programs(plan, &programs) ? programs[k] : NULL;
}

/* Breaks the plan at every place of every program; returns how many places there are. */
static int break_all(const Good *good, const Mutation *m)
{
    int count = 0;
    Plan *plan = plan_new(good);
    for (int k = 0; program_of(plan, k); k++)
        for (int i = 0; i < PLACES; i++) {
            if (!m->apply(plan, program_of(plan, k), i))
                continue;
            if (!plan_fault(plan))
                fail_msg("nothing was found after %s at %d of program %s", m->name, i,
                         program_of(plan, k)->name);
            plan = plan_new(good);
            count++;
        }
    return count;
}

static Good goods[CASES];

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++)
        goods[i] = good_new(&cases[i]);
    return 0;
}

static void a_good_plan_has_no_fault(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const char *fault = plan_fault(plan_new(&goods[i]));
        if (fault)
            fail_msg("case %d: %s", i, fault);
    }
}

/* The order of steps that have nothing to do with each other is free. */
static void independent_steps_may_saving_places(void **state)
{
    (void)state;
    int count = 0;
    for (int c = 0; c < CASES; c++) {
        Plan *plan = plan_new(&goods[c]);
        for (int k = 0; program_of(plan, k); k++)
            for (int i = 0; is_step(program_of(plan, k), i + 1); i++) {
                Program *p = program_of(plan, k);
                if (depend(p->steps[i], p->steps[i + 1]) || i + 1 == p->forward_count)
                    continue;
                swap(p, i);
                lay_out(plan);
                const char *fault = plan_fault(plan);
                if (fault)
                    fail_msg("case %d, steps %d and %d of %s: %s", c, i, i + 1, p->name, fault);
                count++;
                plan = plan_new(&goods[c]);
            }
    }
    print_message("%d pairs\n", count);
    assert_true(count > 20);
}

static void every_broken_plan_has_a_fault(void **state)
{
    (void)state;
    for (int m = 0; m < MUTATIONS; m++) {
        int count = 0;
        for (int i = 0; i < CASES; i++)
            count += break_all(&goods[i], &mutations[m]);
        print_message("%5d  %s\n", count, mutations[m].name);
        assert_true(count > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_plan_has_no_fault),
        cmocka_unit_test(independent_steps_may_saving_places),
        cmocka_unit_test(every_broken_plan_has_a_fault),
    };
    return cmocka_run_group_tests_name("check", tests, set_up, NULL);
}
