/* Known ways out of a Lua sandbox, and of its limits: what a graph file may try. Under both Luas,
   where there is a caec of each. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Each of these reaches Lua itself in one sandbox or another. */
static void names_of_ways_out(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "@xpcall(error, error)\n", "unknown word 'xpcall'" },
        { "local ok = @pcall(string.rep, \"x\", -1)\n", "unknown word 'pcall'" },
        { "local co = @coroutine.wrap(function() while true do end end)\n",
          "unknown word 'coroutine'" },
        { "@rawget({}, 1)\n", "unknown word 'rawget'" },
        { "@rawequal(1, 1)\n", "unknown word 'rawequal'" },
        { "@rawlen({})\n", "unknown word 'rawlen'" },
        { "@next({})\n", "unknown word 'next'" },
        { "@module(\"x\")\n", "unknown word 'module'" },
        { "@gcinfo()\n", "unknown word 'gcinfo'" },
        { "@warn(\"@on\")\n", "unknown word 'warn'" },
        { "local f = @bit\n", "unknown word 'bit'" },
        { "local f = @ffi\n", "unknown word 'ffi'" },
        { "local f = @utf8\n", "unknown word 'utf8'" },
        { "local e = @_ENV\n", "unknown word '_ENV'" },
        { "@_ENV.string = nil\n", "unknown word '_ENV'" },
        { "local function f(@_ENV) return x end\n", "unknown word '_ENV'" },
        { "local m = (@getmetatable(\"\")).__index\n", "unknown word 'getmetatable'" },
    };
    REFUSE(refusals);
}

/* The first line of what caec says must start so; nothing of ours may show. */
static void want_start(const char *compiler, const char *graph, const char *start)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run(folder, "%s net.lua --summary", compiler);
    if (result.exit_code != 1 || strncmp(result.err, start, strlen(start)) != 0
        || strstr(result.err, "dsl.lua"))
        fail_msg("of\n%.500s\nexit code %d, signal %d, and caec says\n%.500s\ninstead of %s", graph,
                 result.exit_code, result.signal, result.err, start);
    assert_string_equal(result.out, "");
    result_free(&result);
    free(path);
    folder_remove(folder);
}

static void want_start_of_both(const char *graph, const char *start)
{
    want_start(caec_binary(), graph, start);
    if (caec_other())
        want_start(caec_other(), graph, start);
}

/* Functions that libraries lack are nil, also as methods; what strings reach is the same table. */
static void methods_of_strings(void **state)
{
    (void)state;
    static const char *const calls[] = { "(\"x\"):find((\"a?\"):rep(30) .. (\"a\"):rep(30))",
                                         "(\"x\"):match(\"(x+x+)+y\")",
                                         "(\"x\"):gsub(\".\", \"%0\")",
                                         "(\"x\").dump(string.len)",
                                         "(\"x\"):pack(1)",
                                         "(\"x\").__index.rep()",
                                         "(\"x\").__metatable.y",
                                         "string.match(\"x\", \"x\")",
                                         "string.unpack(\"i4\", \"abcd\")",
                                         "table.move({}, 1, 1e9, 2)",
                                         "table.pack(1)",
                                         "table.foreach({}, tostring)",
                                         "math.mod(1, 2)" };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char *graph = text_of("\nlocal x = %s\n", calls[i]);
        want_start_of_both(graph, "net.lua:2: error: ");
        free(graph);
    }
}

/* Fields with the names of metamethods are fields like others where nothing can make a
   metatable. */
static void metamethods_are_plain_fields(void **state)
{
    (void)state;
    want_start_of_both(
        "local t = { __gc = error, __index = math, __call = error, __mode = \"k\", __close = "
        "error, __len = error }\nlocal n = #t\nlocal x = t.pi\n"
        "error(x == nil and n == 0 and \"plain\" or \"special\")\n",
        "net.lua:4: error: plain");
    want_start_of_both("local t = { __call = conv2d }\nlocal x = t()\n",
                       "net.lua:2: error: attempt to call");
    want_start_of_both("local t = { __concat = conv2d }\nlocal x = t .. t\n",
                       "net.lua:2: error: attempt to concatenate");
}

/* What is wrong inside our own Lua is told at the line that called it. */
static void mistakes_inside_our_words(void **state)
{
    (void)state;
    static const char *const calls[] = { "string.format(\"%9999d\", 1)",
                                         "string.format(\"%.9999f\", 1)",
                                         "string.format(\"%d\", \"x\")",
                                         "string.format(\"%d\")",
                                         "table.sort()",
                                         "table.concat()",
                                         "table.concat({ 1 }, {})",
                                         "table.insert({}, {}, 1)",
                                         "table.insert({}, 2 ^ 53, 1)",
                                         "table.insert({}, -5, 1)",
                                         "table.remove(5)",
                                         "pairs(nil)",
                                         "string.rep()",
                                         "table.concat({ 1 }, \"\", {})" };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char *graph = text_of("\n\nlocal x = %s\n", calls[i]);
        want_start_of_both(graph, "net.lua:3: error: ");
        free(graph);
    }
}

/* Within the time that any of these may take: two seconds of the processor, one more where a C
   function does not come back, and three for what starting costs. */
enum { STARTING = 3, SECONDS = 3 + STARTING };

static double seconds_of_children(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void stops_within(double seconds, const char *compiler, const char *graph)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    double before = seconds_of_children();
    file_write(path, graph, strlen(graph));
    Result result = run(folder, "%s net.lua --summary", compiler);
    double took = seconds_of_children() - before;
    if (result.exit_code != 1 || strncmp(result.err, "net.lua:", 8) != 0
        || !strstr(result.err, " error: ") || result.err_length > 10000)
        fail_msg("of\n%.200s\nexit code %d, signal %d, and caec says\n%.500s", graph,
                 result.exit_code, result.signal, result.err);
    if (took > seconds)
        fail_msg("%.1f s for\n%.200s", took, graph);
    result_free(&result);
    free(path);
    folder_remove(folder);
}

static void stops_in_time(const char *compiler, const char *graph)
{
    stops_within(SECONDS, compiler, graph);
}

/* The same by a clock that runs HURRY times as fast (hurried.c), of graphs that would run for as
   long as they may. Sanitizers want to be loaded first. */
static void stops_in_hurried_time(const char *compiler, const char *graph)
{
#ifdef TEST_HURRIED
    char *hurried = text_of("env LD_PRELOAD=" TEST_HURRIED " %s", compiler);
    stops_within((double)(SECONDS - STARTING) / HURRY + STARTING, hurried, graph);
    free(hurried);
#else
    stops_in_time(compiler, graph);
#endif
}

/* `head`, `count` times `piece`, `tail`; to be freed. */
static char *repeated(const char *head, const char *piece, int count, const char *tail)
{
    size_t n = strlen(piece), at = strlen(head);
    char *text = malloc(at + n * (size_t)count + strlen(tail) + 1);
    assert_non_null(text);
    strcpy(text, head);
    for (int i = 0; i < count; i++, at += n)
        memcpy(text + at, piece, n);
    strcpy(text + at, tail);
    return text;
}

/* 12.8 million characters */
#define LONG "local s = (\"x\"):rep(99999)\nfor i = 1, 7 do s = s .. s end\n"

static void time_inside_c_functions(void **state)
{
    (void)state;
    static const char *const graphs[] = {
        LONG
        "local a, b, t = s .. \"a\", s .. \"b\", {}\nfor i = 1, 9999 do t[i] = i % 3 == 0 and a or "
        "b end\ntable.sort(t)\n",
        "local t = {}\nfor i = 1, 9999 do t[i] = (\"x\"):rep(1000) .. i end\nwhile true do "
        "table.sort(t) end\n",
        "local s = (\"1\"):rep(99999)\nfor i = 1, 6 do s = s .. s end\nwhile true do local x = "
        "s:lower() x = s:upper() x = s:reverse() x = tonumber(s, 36) end\n",
        LONG "local t = s .. \"b\"\ns = s .. \"a\"\nwhile true do local x = s < t end\n",
        "while true do local n = select(\"#\", unpack({}, 1, 7000)) end\n",
        "local function f(...) return f(1, ...) end\nf()\n",
        "local function f() return string.format(\"%d\", f()) end\nf()\n",
    };
    /* the first by its own clock: it is stopped inside a sort */
    void (*stops)(const char *, const char *) = stops_in_time;
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        stops(caec_binary(), graphs[i]);
        if (caec_other())
            stops(caec_other(), graphs[i]);
        stops = stops_in_hurried_time;
    }
}

/* Of Lua's parser, and of our own reading of the text. */
static void time_before_the_first_line_runs(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece;
        int count;
        const char *tail;
    } graphs[] = {
        { "if x then\n", "elseif x then\n", 60000, "end\n" },
        { "", "(", 500000, "" },
        { "x = {", "{", 500000, "" },
        { "return ", "not ", 250000, "1" },
        { "return ", "1 .. ", 200000, "1" },
        { "return ", "2^", 400000, "1" },
        { "[", "=", 1000000, "" },
        { "x = \"", "\\z\n", 300000, "\"" },
        { "return f", "()", 500000, "" },
        { "", "do goto z end\n", 70000, "::z::\n" },
        { "", "goto z\n", 140000, "::z::\n" },
        { "return 0x", "f", 1000000, "" },
        { "return 1e", "9", 1000000, "" },
        { "", "a", 1000000, "()" },
        { "local a\n", "function f() return function() return a end end\n", 20000, "" },
    };
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        char *graph = repeated(graphs[i].head, graphs[i].piece, graphs[i].count, graphs[i].tail);
        stops_in_time(caec_binary(), graph);
        if (caec_other())
            stops_in_time(caec_other(), graph);
        free(graph);
    }
}

/* Memory: caec as a whole stays within 64 MiB for Lua, the arena, and what a program has by
   itself. */
static void memory_bombs(void **state)
{
    (void)state;
    static const char *const graphs[] = {
        LONG "for i = 1, 3 do s = s .. s end\nerror(s)\n",
        LONG
        "local t = {}\nfor i = 1, 200 do t[i] = s end\nlocal x = string.format((\"%s\"):rep(200), "
        "unpack(t))\n",
        LONG "local w = { word = s, args = {} }\nlocal t = {}\nfor i = 1, 9000 do t[i] = w end\n"
             "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { t }, "
             "decoder = sequential \"d\" { t } }\n",
        LONG
        "local w = { word = \"conv2d\", args = { name = s, filters = 3, kernel = 3 } }\nlocal t = "
        "{}\nfor i = 1, 9000 do t[i] = w end\n"
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { t }, "
        "decoder = sequential \"d\" { t } }\n",
        LONG
        "local t = {}\nfor i = 1, 64 do t[i] = s end\nreturn autoencoder \"net\" { input = { 8, 8, "
        "3 }, encoder = sequential \"e\" { conv2d { filters = 3, "
        "kernel = 3 }, concat { layers = t } }, decoder = sequential \"d\" { conv2d { filters = 3, "
        "kernel = 3 } } }\n",
        LONG
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { conv2d { "
        "[s] = 3 } } }\n",
        "local a = 1\nwhile true do a = a .. a .. a end\n",
    };
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        stops_in_time(caec_binary(), graphs[i]);
        if (caec_other())
            stops_in_time(caec_other(), graphs[i]);
    }
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage); /* of the largest */
    /* which take memory of their own */
    bool sanitized = getenv("ASAN_OPTIONS") || getenv("TSAN_OPTIONS");
    if (!sanitized && usage.ru_maxrss > 256 * 1024)
        fail_msg("caec took %ld KiB", usage.ru_maxrss);
}

/* Ten lists, each with the one before a hundred times: no layer in them, and more entries than
   there are atoms. */
static void lists_of_lists(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local t = {}\nfor level = 1, 7 do\n  local u = {}\n  for i = 1, 100 do u[i] = t end\n  "
          "t = u\nend\n"
          "return autoencoder \"net\" { input = { 8, 8, 3 },\n  encoder = @sequential \"e\" { t, "
          "conv2d { filters = 5, kernel = 3 } },\n"
          "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3 } } }\n",
          "e: more than 10000 entries in lists inside lists" },
        { "local t = {}\nt[1] = t\nreturn autoencoder \"net\" { input = { 8, 8, 3 },\n  encoder = "
          "@sequential \"e\" { t },\n"
          "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3 } } }\n",
          "sequential: lists inside lists more than 8 deep; put their layers into the list "
          "itself" },
    };
    REFUSE(refusals);
}

/* LuaJIT's numbers of other types; Lua 5.4 does not take them for numbers at all. */
static void numbers_of_c(void **state)
{
    (void)state;
    want_start_of_both(
        "return autoencoder \"net\" { input = { 8LL, 8, 3 }, encoder = sequential \"e\" { conv2d { "
        "filters = 5, kernel = 3 } },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 3, kernel = 3 } } }\n",
        "net.lua:1");
    want_start_of_both("local x = (1LL).field\n", "net.lua:1");
    want_start_of_both("local x = 1i .. \"\"\n", "net.lua:1");
}

/* Text of the file cannot speak to the terminal, nor fill it. */
static void messages_are_text(void **state)
{
    (void)state;
    want_start_of_both("error(\"\\27[2J\\7\\127 \\194\\155 caf\\195\\169\")\n",
                       "net.lua:1: error: ?[2J?? ? caf\xc3\xa9\n");
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    static const char graph[] = "local x = (\"y\"):rep(99999) error(x) --\033[31m\n";
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --summary");
    want_exit(&result, 1);
    assert_true(result.err_length < 5000);
    assert_non_null(strstr(result.err, "yyy ...\n"));
    assert_null(strchr(result.err, '\033'));
    result_free(&result);
    free(path);
    folder_remove(folder);
}

/* Each run has been held against what caec must say of it. */
static int say_counts(void **state)
{
    (void)state;
    printf("%d ways out of the sandbox and past its limits tried, %d held\n", runs_made(),
           runs_ended(1));
    return runs_made() == runs_ended(1) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_ways_out),
        cmocka_unit_test(methods_of_strings),
        cmocka_unit_test(metamethods_are_plain_fields),
        cmocka_unit_test(mistakes_inside_our_words),
        cmocka_unit_test(memory_bombs),
        cmocka_unit_test(time_inside_c_functions),
        cmocka_unit_test(time_before_the_first_line_runs),
        cmocka_unit_test(lists_of_lists),
        cmocka_unit_test(numbers_of_c),
        cmocka_unit_test(messages_are_text),
    };
    return cmocka_run_group_tests_name("escapes", tests, NULL, say_counts);
}
