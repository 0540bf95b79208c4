/* Graph files that are no Lua, that fail while they run, or that reach for what the sandbox does
   not have. */
#include "cases.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void syntax_errors(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local a = 1\nreturn autoencoder \"net\" {\n  input = { 8, 8, 3 },\n  encoder = = "
          "1,\n}\n",
          "" },
        { "local x = )\n", "" },
        { "return autoencoder \"net\" {", "" },
        { "local s = \"abc\n", "" },
        { "\x01\x02\xff", "" },
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
             *out = text_of("%s/out", folder);
        file_write(path, refusals[i].graph, strlen(refusals[i].graph));
        Result result = run_caec(folder, "net.lua -o out");
        want_exit(&result, 1);
        /* the words are Lua's, of either kind; place and form are ours */
        const char *line = i == 0 ? "net.lua:4: error: " : "net.lua:1:";
        if (strncmp(result.err, line, strlen(line)) != 0 || !strstr(result.err, "error: "))
            fail_msg("of\n%s\ncaec says\n%s", refusals[i].graph, result.err);
        assert_null(strstr(result.err, "traceback"));
        assert_null(strstr(result.err, "[string"));
        assert_false(file_exists(out));
        result_free(&result);
        free(path);
        free(out);
        folder_remove(folder);
    }
}

static void nothing_useful_returned(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "^", "the file must end with: return autoencoder" },
        { "^-- nothing\n", "the file must end with: return autoencoder" },
        { "^return 1\n", "the file must end with: return autoencoder" },
        { "^return {}\n", "the file must end with: return autoencoder" },
        { "^return nil\n", "the file must end with: return autoencoder" },
        { "^autoencoder \"net\" { input = { 8, 8, 3 } }\n",
          "the file must end with: return autoencoder" },
        { "^return conv2d { filters = 1, kernel = 1 }\n",
          "the file must end with: return autoencoder" },
        { "^return { word = 5 }\n", "the file must end with: return autoencoder" },
        { "local a = 1\n^local b = 2\n-- the end\n\n",
          "the file must end with: return autoencoder" },
    };
    REFUSE(refusals);
}

/* Of Keras and PyTorch, in any letters. */
static void words_of_others(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@Conv1D { filters = 5, kernel_size = 3 },", CONV3),
          "unknown word 'Conv1D'; here that is conv2d { kernel = { 1, k } } on input = { 1, "
          "length, channels }\n" },
        { GRAPH(CONV5 "@max_pool1d { size = 2 },", CONV3),
          "unknown word 'max_pool1d'; here that is max_pool2d { size = { 1, n } } on input" },
        { GRAPH(CONV5 "@AveragePooling2D {},", CONV3),
          "unknown word 'AveragePooling2D'; here that is avg_pool2d { size = n }\n" },
        { GRAPH(CONV5 "@ZeroPadding2D(1),", CONV3),
          "unknown word 'ZeroPadding2D'; here that is zero_pad2d { padding = n }\n" },
        { GRAPH(CONV5 "@Cropping2D(1),", CONV3),
          "unknown word 'Cropping2D'; here that is crop2d { padding = n }\n" },
        { GRAPH(CONV5 "@PixelShuffle(2),", CONV3),
          "unknown word 'PixelShuffle'; here that is depth_to_space { size = n }; PyTorch has" },
        { GRAPH(CONV5 "@Linear(3, 5),", CONV3),
          "unknown word 'Linear'; here that is dense { units = n }; linear {} is an activation\n" },
        { GRAPH("@Rescaling { scale = 2 },", CONV3),
          "unknown word 'Rescaling'; here that is rescale { scale = a, offset = b }\n" },
        { GRAPH(CONV5 "@LSTM { units = 5 },", CONV3),
          "unknown word 'LSTM'; caec has no recurrent layers; " },
        { GRAPH(CONV5 "@Lambda(abs),", CONV3),
          "unknown word 'Lambda'; layers are caec's words alone; " },
        { GRAPH(CONV5 "@Conv2DTranpose {},", CONV3),
          "unknown word 'Conv2DTranpose'; did you mean conv2d_transpose?\n" },
    };
    REFUSE(refusals);
}

static void unknown_words(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@conv3d { filters = 5, kernel = 3 },", CONV3),
          "unknown word 'conv3d'; caec has images of height, width and channels, no third "
          "dimension" },
        { GRAPH("@conv_2d { filters = 5, kernel = 3 },", CONV3),
          "unknown word 'conv_2d'; did you mean conv2d?" },
        { GRAPH("@Conv2D { filters = 5, kernel = 3 },", CONV3),
          "unknown word 'Conv2D'; did you mean conv2d?" },
        { GRAPH("@Conv2DTranspose { filters = 5, kernel = 3 },", CONV3),
          "unknown word 'Conv2DTranspose'; did you mean conv2d_transpose?" },
        { GRAPH(CONV5 "@maxpool2d {},", CONV3),
          "unknown word 'maxpool2d'; did you mean max_pool2d?" },
        { GRAPH(CONV5 "@UpSampling2D {},", CONV3),
          "unknown word 'UpSampling2D'; did you mean upsample2d?" },
        { GRAPH(CONV5 "@LeakyReLU {},", CONV3),
          "unknown word 'LeakyReLU'; did you mean leaky_relu?" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @Adam {} },\n"),
          "unknown word 'Adam'; did you mean adam?" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @lion { lr = 1e-3 } },\n"),
          "unknown word 'lion'; the optimizers are adam, adamw" },
        { WITH(CONV5, CONV3, "  training = { schedule = @poly {} },\n"),
          "unknown word 'poly'; the schedules are constant, step, cosine and reduce_on_plateau\n" },
        { "return @auto_encoder \"net\" { }\n",
          "unknown word 'auto_encoder'; did you mean autoencoder?" },
        { GRAPH(CONV5 "max_pool2d { size = @two },", CONV3), "unknown word 'two'\n" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @adafactor {} },\n"),
          "unknown word 'adafactor'" },
        { "@dofile(\"other.lua\")\n", "unknown word 'dofile'" },
        { "local f = @io.open(\"/etc/passwd\")\n", "unknown word 'io'" },
        { "@os.execute(\"true\")\n", "unknown word 'os'" },
        { "local ffi = @require(\"ffi\")\n", "unknown word 'require'" },
        { "local f = @load(\"return 1\")\n", "unknown word 'load'" },
        { "local f = @loadstring(\"return 1\")\n", "unknown word 'loadstring'" },
        { "local f = @loadfile(\"x\")\n", "unknown word 'loadfile'" },
        { "@debug.sethook()\n", "unknown word 'debug'" },
        { "@jit.on()\n", "unknown word 'jit'" },
        { "@package.loadlib(\"x\", \"y\")\n", "unknown word 'package'" },
        { "@coroutine.create(function() end)\n", "unknown word 'coroutine'" },
        { "local e = @_G\n", "unknown word '_G'" },
        { "@setmetatable({}, {})\n", "unknown word 'setmetatable'" },
        { "@getmetatable(\"\").__index = nil\n", "unknown word 'getmetatable'" },
        { "@rawset({}, 1, 1)\n", "unknown word 'rawset'" },
        { "@getfenv(0)\n", "unknown word 'getfenv'" },
        { "@setfenv(1, {})\n", "unknown word 'setfenv'" },
        { "@pcall(error)\n", "unknown word 'pcall'" },
        { "@collectgarbage()\n", "unknown word 'collectgarbage'" },
        { "@print(1)\n", "unknown word 'print'" },
        { "@newproxy()\n", "unknown word 'newproxy'" },
    };
    REFUSE(refusals);
}

/* Fields that libraries lack here are nil: calling one is an error in its line. */
static void functions_left_out(void **state)
{
    (void)state;
    static const char *const calls[] = { "string.gsub(\"a\", \"a\", \"b\")",
                                         "string.find(\"a\", \"a\")",
                                         "string.dump(function() end)",
                                         "math.random()",
                                         "math.randomseed(1)",
                                         "(\"a\"):gmatch(\".\")",
                                         "table.maxn({})",
                                         "string.buffer.new()" };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
             *text = text_of("\nlocal x = %s\nreturn x\n", calls[i]);
        file_write(path, text, strlen(text));
        Result result = run_caec(folder, "net.lua --summary");
        want_exit(&result, 1);
        if (strncmp(result.err, "net.lua:2", 9) != 0)
            fail_msg("of %s caec says\n%s", calls[i], result.err);
        assert_null(strstr(result.err, "dsl.lua"));
        result_free(&result);
        free(path);
        free(text);
        folder_remove(folder);
    }
}

static void errors_while_it_runs(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local n = 1\n^error(\"my own words\")\n", "my own words" },
        { "^assert(1 == 2, \"these differ\")\n", "these differ" },
        { "^assert(false)\n", "assertion failed!" },
        { "local t = nil\n^local x = t.size\n", "attempt to index" },
        { "^local x = 1 + {}\n", "attempt to perform arithmetic" },
        { "^local x = string.rep(\"x\", 1e9)\n", "string.rep: more than 100000 characters" },
        { "^local x = (\"x\"):rep(1e9)\n", "string.rep: more than 100000 characters" },
        { "^local x = table.concat({ string.rep(\"x\", 99999), \"yy\" })\n",
          "table.concat: more than 100000 characters" },
        { "local t = {}\nfor i = 1, 2e4 do t[i] = i end\n^table.sort(t)\n",
          "table.sort: more than 10000 values" },
        { "^local x = tostring({})\n", "tostring: a table cannot be shown as text" },
        { "^local x = string.format(\"%p\", 1)\n", "string.format: no addresses" },
        { "local t = {}\n^t[nil] = 1\n", "" },
        { "local n = 1\n^for k in pairs(5) do end\n", "pairs: wants a table, not a number" },
        { "^for k in pairs() do end\n", "pairs: wants a table, not a nil" },
        { "^local x = table.concat(\"x\")\n", "table.concat: wants a table, not a string" },
        { "^table.insert(conv2d, 1)\n", "table.insert: wants a table, not a function" },
        /* Lua's own words, from inside one of ours */
        { "local n = 1\n^local x = table.concat({}, \"\", 1, {})\n", "" },
        { "local n = 1\n^error(nil)\n", "the file stopped with an error that is no text" },
    };
    REFUSE(refusals);
}

/* What the marks in the text and Lua 5.4 need is no word; the tables that words make may be
   changed, and then their places are not known. */
static void names_inside(void **state)
{
    (void)state;
    static const char *const graphs[] = { "local a = 1\nreturn __at(1, a)\n",
                                          "local a = 1\nlocal e = _ENV\nreturn e\n",
                                          "local a = 1\nreturn _ENV.conv2d {}\n" };
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
        file_write(path, graphs[i], strlen(graphs[i]));
        const char *const compilers[] = { caec_binary(), caec_other() };
        for (int k = 0; k < 2 && compilers[k]; k++) {
            Result result = run(folder, "%s net.lua --summary", compilers[k]);
            want_exit(&result, 1);
            if (strncmp(result.err, "net.lua:2:", 10) != 0
                || !strstr(result.err, "error: unknown word '"))
                fail_msg("of\n%s\ncaec says\n%s", graphs[i], result.err);
            result_free(&result);
        }
        free(path);
        folder_remove(folder);
    }
    static const Refusal refusals[] = {
        { "local c = conv2d { filters = 0, kernel = 3 }\nc.at = 2147483647\n"
          "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { c }, "
          "decoder = sequential \"d\" { c } }\n",
          "conv2d: filters wants a whole number from 1 to 65536, not 0" },
    };
    REFUSE(refusals);
}

/* LuaJIT takes bytes beyond ASCII for letters, Lua 5.4 for nothing. */
static void letters_beyond_ascii(void **state)
{
    (void)state;
    static const char graph[] = "local a = 1\nreturn \xc3\xa9sigmoid { a }\n";
    want_refused(graph, sizeof graph - 1, 2, false);
}

static void deep_nesting(void **state)
{
    (void)state;
    static const char *const openings[] = { "(", "{", "not ", "(function() return " };
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        char *graph = text_of("local a = 1\nlocal b =\n");
        for (int n = 0; n < 1000; n++) {
            char *longer = text_of("%s%s", graph, openings[i]);
            free(graph);
            graph = longer;
        }
        want_refused(graph, strlen(graph), 3, false);
        free(graph);
    }
}

/* The file's name, the line that ran and the reason are said. */
static void check_endless(const char *compiler, const char *graph)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *out = text_of("%s/out", folder);
    file_write(path, graph, strlen(graph));
    Result result = run(folder, "%s net.lua -o out", compiler);
    bool reason = strstr(result.err, "runs too long") || strstr(result.err, "too much memory")
                  || strstr(result.err, "stack overflow");
    if (result.exit_code != 1 || strncmp(result.err, "net.lua:", 8) != 0
        || !isdigit((unsigned char)result.err[8]) || !strstr(result.err, " error: ") || !reason)
        fail_msg("of\n%s\nexit code %d, signal %d, and caec says\n%.500s", graph, result.exit_code,
                 result.signal, result.err);
    assert_null(strstr(result.err, "dsl.lua"));
    assert_null(strstr(result.err, "traceback"));
    assert_false(file_exists(out));
    result_free(&result);
    free(path);
    free(out);
    folder_remove(folder);
}

static void endless(void **state)
{
    (void)state;
    static const char *const graphs[] = {
        "while true do end\n",
        "local function f() return f() end\nf()\n",
        "local i = 0\nrepeat i = i + 1 until false\n",
        "for i = 1, 1e18 do end\n",
        "local t = {}\nfor i = 1, 1e18 do t[#t + 1] = i end\n",
        "local s = \"x\"\nwhile true do s = s .. s end\n",
        "local t = { \"x\" }\nwhile true do t = { t, t } end\n",
        "local function f(n) return 1 + f(n + 1) end\nf(1)\n",
        "local function f() local t = {} t[1] = f() return t end\nf()\n",
        "local t = {}\nfor i = 1, 1e7 do t[i] = string.rep(\"x\", 99999) .. i end\n",
        "local t = {}\nfor i = 1, 9e3 do t[i] = i end\nwhile true do table.sort(t, function(a, b) "
        "return a > b end) end\n",
    };
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        check_endless(caec_binary(), graphs[i]);
        if (caec_other())
            check_endless(caec_other(), graphs[i]);
    }
}

/* Compiled Lua, of either kind, is refused as what it is. */
static void bytecode(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } files[] = { { "\033LJ\002\000\000", 6 }, { "\033Lua\124\000\031\223\r\n\032\n", 12 } };
    for (int i = 0; i < 2; i++) {
        char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
        file_write(path, files[i].bytes, files[i].length);
        Result result = run_caec(folder, "net.lua --summary");
        want_exit(&result, 1);
        assert_string_equal(
            result.err,
            "net.lua: error: this is compiled Lua; caec wants the text that it was compiled "
            "from\n");
        result_free(&result);
        free(path);
        folder_remove(folder);
    }
}

/* Lua cuts long names of files in its messages; caec does not. */
static void long_paths(void **state)
{
    (void)state;
    static const char name[] =
        "a_folder_whose_name_is_long_enough_that_Lua_would_leave_out_its_beginning_or_its_end.lua";
    char *folder = folder_new(), *path = text_of("%s/%s", folder, name),
         *right = text_of("%s:2: error: my own words\n", path);
    file_write(path, "local n = 1\nerror(\"my own words\")\n", 34);
    Result result = run_caec(NULL, "%s --summary", path);
    want_exit(&result, 1);
    if (strncmp(result.err, right, strlen(right)) != 0)
        fail_msg("caec says\n%s", result.err);
    result_free(&result);
    free(right);
    free(path);
    folder_remove(folder);
}

/* A graph may not reach caec's own state through the tables that it is handed. */
static void words_cannot_be_rewritten(void **state)
{
    (void)state;
    static const char graph[] =
        "string.rep = nil\ntable.concat = nil\nmath.floor = nil\nlocal ok = type(tostring) == "
        "\"function\"\n"
        "local c = conv2d { filters = 5, kernel = 3 }\nc.word = \"max_pool2d\"\n"
        "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { c }, "
        "decoder = sequential \"d\" { c } }\n";
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --summary");
    want_exit(&result, 1);
    assert_non_null(
        strstr(result.err, "net.lua:5:20: error: max_pool2d: no argument is called 'filters'"));
    result_free(&result);
    free(path);
    folder_remove(folder);
}

/* Each run has been held against what caec must say of it. */
static int say_counts(void **state)
{
    (void)state;
    printf("%d graph files that are no Lua, fail or reach out of the sandbox tried, %d held\n",
           runs_made(), runs_ended(1));
    return runs_made() == runs_ended(1) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors),
        cmocka_unit_test(nothing_useful_returned),
        cmocka_unit_test(words_of_others),
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(functions_left_out),
        cmocka_unit_test(errors_while_it_runs),
        cmocka_unit_test(names_inside),
        cmocka_unit_test(letters_beyond_ascii),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(endless),
        cmocka_unit_test(bytecode),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(words_cannot_be_rewritten),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, say_counts);
}
