#define _POSIX_C_SOURCE 200809L
#include "numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char *const *graph, *const *options;
    bool passed;
} test;

static uint64_t from_environment(const char *name, uint64_t left_out)
{
    const char *text = getenv(name);
    char *end;
    if (!text || !*text)
        return left_out;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (*end || errno || *text == '-') {
        fprintf(stderr, "%s wants a whole number, not '%s'\n", name, text);
        exit(2);
    }
    return n;
}

int numbers_run(const char *title, const char *what, int count, CMUnitTestFunction one,
                CMFixtureFunction end, CMUnitTestFunction report)
{
    uint64_t seed = from_environment("FUZZ_SEED", 1);
    int first = (int)from_environment("FUZZ_FIRST", 0);
    count = (int)from_environment("FUZZ_COUNT", (uint64_t)count);
    Number *numbers = calloc((size_t)count + 1, sizeof *numbers);
    struct CMUnitTest *tests = calloc((size_t)count + 1, sizeof *tests);
    if (!numbers || !tests)
        return 2;
    for (int i = 0; i < count; i++) {
        numbers[i] = (Number){ seed, first + i, what };
        tests[i] = (struct CMUnitTest){ text_of("%s %d of seed %llu", what, first + i,
                                                (unsigned long long)seed),
                                        one, NULL, end, &numbers[i] };
    }
    tests[count] = (struct CMUnitTest){ "what was looked at", report, NULL, NULL, NULL };
    int failed = _cmocka_run_group_tests(title, tests, (size_t)count + 1, NULL, NULL);
    for (int i = 0; i < count; i++)
        free((char *)tests[i].name);
    free(tests);
    free(numbers);
    return failed ? 1 : 0;
}

void numbers_under_test(char *const *graph, char *const *options)
{
    test.graph = graph;
    test.options = options;
    test.passed = false;
}

void numbers_passed(void)
{
    test.passed = true;
}

/* Line by line: CMocka cuts long messages. */
static void show_graph(const char *graph)
{
    for (; graph && *graph; graph += strcspn(graph, "\n"), graph += *graph == '\n')
        print_message("%.*s\n", (int)strcspn(graph, "\n"), graph);
}

int numbers_end(const Number *number)
{
    unsigned long long seed = number->seed;
    if (!test.passed && test.graph) {
        print_message(
            "seed %llu, %s graph %d; to see it again: tests/fuzz/run.sh --%s --seed %llu --first "
            "%d --count 1\n",
            seed, number->what, number->number, number->what, seed, number->number);
        print_message("caec net.lua %s, of\n", *test.options ? *test.options : "");
        show_graph(*test.graph);
    }
    test.graph = NULL;
    return 0;
}
