/* The command line: bad usage is 2, what cannot be read or written is 3, --help and --version are
   0; and nothing is written on the way. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char graph[] = GRAPH(CONV5, CONV3);

static char *folder_with_graph(void)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    free(path);
    return folder;
}

static void want_nothing_written(const char *folder)
{
    FileList list = files_below(folder);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.path[0], "net.lua");
    file_list_free(&list);
}

typedef struct Command {
    const char *words, *says; /* part of what stands on stderr */
} Command;

static void check_commands(const Command *commands, size_t count, int exit_code)
{
    char *folder = folder_with_graph();
    for (size_t i = 0; i < count; i++) {
        Result result = run_caec(folder, "%s", commands[i].words);
        if (result.exit_code != exit_code || !strstr(result.err, commands[i].says))
            fail_msg("caec %s: exit code %d, signal %d, says\n%s", commands[i].words,
                     result.exit_code, result.signal, result.err);
        assert_null(strstr(result.err, "internal error"));
        want_nothing_written(folder);
        result_free(&result);
    }
    folder_remove(folder);
}

static void bad_usage(void **state)
{
    (void)state;
    static const Command commands[] = {
        { "", "which graph?" },
        { "net.lua", "nothing to do: give -o DIR" },
        { "net.lua other.lua -o out", "one graph file at a time: net.lua or other.lua?" },
        { "net.lua -o", "requires an argument" },
        { "net.lua --nonsense", "unrecognized option '--nonsense'" },
        { "net.lua -q", "invalid option" },
        { "net.lua -o out --target vax", "there is no target 'vax'; see --list targets" },
        { "net.lua -o out --target cortex-m7",
          "--target cortex-m7: there are no programs for it; add --emit library" },
        { "net.lua -o out --real half", "--real wants float or double, not 'half'" },
        { "net.lua --dump nothing", "there is no pass 'nothing'; see --list passes" },
        { "net.lua --stop-after nothing", "there is no pass 'nothing'" },
        { "net.lua --dump plan --stop-after load",
          "--dump plan: it comes after load, where --stop-after ends" },
        { "net.lua --dump fold --stop-after load", "--dump fold: it comes after load" },
        { "--list things", "--list wants passes, ops, kernels or targets, not 'things'" },
        { "net.lua --list passes", "--list and --expand want no graph file" },
        { "--expand nothing", "there is no kernel 'nothing'; see --list kernels" },
        { "--expand conv_direct net.lua", "--list and --expand want no graph file" },
        { "--expand conv_direct XY=3", "there is no number 'XY=3'" },
        { "--expand conv_direct K=x", "K wants a whole number" },
        { "--expand conv_direct K=0", "K wants a whole number from 1 to 255" },
        { "--expand conv_direct K=256", "K wants a whole number from 1 to 255" },
        { "--expand conv_direct K=99999999999999999999", "K wants a whole number" },
        { "--expand conv_direct POOL=17", "POOL wants a whole number from 0 to 16" },
        { "K=3 -o out", "what is 'K=3'? NAME=NUMBER goes with --expand" },
        { "net.lua -o out --kernel conv_plain", "--kernel wants LAYER[.DIRECTION]=NAME" },
        { "net.lua -o out --kernel =conv_plain", "--kernel wants LAYER[.DIRECTION]=NAME" },
        { "net.lua -o out --kernel encoder.conv1=", "--kernel wants LAYER[.DIRECTION]=NAME" },
        { "net.lua -o out --kernel encoder.conv1=fast",
          "there is no kernel 'fast'; see --list kernels" },
        { "net.lua -o out --kernel encoder.conv7=conv_plain",
          "there is no layer encoder.conv7 with a choice of kernels; there are: encoder.conv1 "
          "decoder.conv1" },
        { "net.lua -o out --kernel encoder.conv7=conv_plain --kernel encoder.conv1=conv_plain",
          "there is no layer encoder.conv7" },
        { "net.lua -o out --kernel encoder.conv1=pool", "pool does not compute encoder.conv1" },
        { "net.lua -o out --kernel encoder.conv1.dx=conv_plain",
          "conv_plain does not compute encoder.conv1.dx" },
    };
    check_commands(commands, sizeof commands / sizeof commands[0], 2);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    static const Command commands[] = {
        { "nothing.lua -o out", "caec: error: cannot read nothing.lua: No such file or directory" },
        { ". -o out", "caec: error: cannot read .: Is a directory" },
        { "net.lua/x -o out", "caec: error: cannot read net.lua/x: Not a directory" },
        { "/dev/zero -o out", "caec: error: /dev/zero is longer than" },
    };
    check_commands(commands, sizeof commands / sizeof commands[0], 3);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    static const Command commands[] = {
        { "net.lua -o net.lua", "caec: error: cannot " },
        { "net.lua -o /proc/caec", "caec: error: cannot " },
        { "net.lua -o /dev/null", "caec: error: cannot " },
    };
    check_commands(commands, sizeof commands / sizeof commands[0], 3);
}

/* Root may write everywhere, so there is nothing to test as root. */
static void a_folder_without_permission(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    char *folder = folder_with_graph();
    assert_int_equal(chmod(folder, 0500), 0);
    Result result = run_caec(folder, "net.lua -o out");
    assert_int_equal(chmod(folder, 0700), 0);
    want_exit(&result, 3);
    want_nothing_written(folder);
    result_free(&result);
    folder_remove(folder);
}

/* A file that cannot be replaced because a folder has its name: the other files must not have been
   replaced either, and no temporary one stays. */
static void nothing_is_replaced_by_half(void **state)
{
    (void)state;
    char *folder = folder_with_graph(), *path = text_of("%s/out/net/net_prepare.c", folder),
         *other = text_of("%s/out/net/net.c", folder);
    Result result = run_caec(folder, "net.lua -o out --target c");
    want_exit(&result, 0);
    result_free(&result);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    char *before = file_read(other, NULL);
    result = run_caec(folder, "net.lua -o out --target x86-64-v3 --real double");
    want_exit(&result, 3);
    char *after = file_read(other, NULL), *out = text_of("%s/out", folder);
    assert_string_equal(before, after);
    FileList list = files_below(out);
    for (int i = 0; i < list.count; i++)
        assert_null(strstr(list.path[i], ".tmp"));
    file_list_free(&list);
    result_free(&result);
    free(before);
    free(after);
    free(out);
    free(path);
    free(other);
    folder_remove(folder);
}

static void help_and_version(void **state)
{
    (void)state;
    Result help = run_caec(NULL, "--help"), version = run_caec(NULL, "--version");
    want_exit(&help, 0);
    want_exit(&version, 0);
    static const char *const options[] = { "-o",     "--target",     "--real",   "--summary",
                                           "--dump", "--stop-after", "--list",   "--expand",
                                           "--dot",  "--memory",     "--kernel", "--no-runtime" };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (!strstr(help.out, options[i]))
            fail_msg("--help does not tell of %s", options[i]);
    assert_int_equal(strncmp(version.out, "caec 0.", 7), 0);
    result_free(&help);
    result_free(&version);
}

/* Where addresses have 32 bits, blocks that they do not reach: each by its name and its size. By
   rows, or with longer addresses, the network is a legal one. */
static void blocks_beyond_an_address(void **state)
{
    (void)state;
    static const char conv[] = "conv2d { filters = 3, kernel = 3 },";
    static const struct {
        const char *options, *message;
    } cases[] = {
        { "--target wasm32", "autoencoder: NET_WORKSPACE_BYTES stands for 291" },
        { "--target cortex-m7 --no-training", "autoencoder: NET_WORKSPACE_BYTES stands for 291" },
        { "--target armv7 --stream", "autoencoder: NET_TRAIN_BYTES stands for " },
        { "--target wasm32 --stream",
          ", and with --target wasm32 a block has at most 2147483647; make the image or layers "
          "smaller, or leave training out" },
        { "--target wasm32 --stream --no-training", NULL },
        { "--target aarch64", NULL },
        { "--target c", NULL },
    };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    char *large = text_of(
        "return autoencoder \"net\" {\n  input = { 9000, 9000, 3 },\n  encoder = sequential \"e\" "
        "{ %s%s%s },\n"
        "  decoder = sequential \"d\" { %s },\n}\n",
        conv, conv, conv, conv);
    file_write(path, large, strlen(large));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Result result = run_caec(folder, "net.lua -o %s --emit library %s",
                                 cases[i].message ? "out" : "legal", cases[i].options);
        want_exit(&result, cases[i].message ? 1 : 0);
        if (cases[i].message
            && (!strstr(result.err, cases[i].message)
                || strncmp(result.err, "net.lua:1:8: error: ", 20) != 0))
            fail_msg("'%s' is not in: %s", cases[i].message, result.err);
        result_free(&result);
    }
    char *out = text_of("%s/out", folder), *header = text_of("%s/legal/net/net_private.h", folder),
         *text = file_read(header, NULL);
    assert_false(file_exists(out));
    /* of c */
    assert_non_null(strstr(
        text, "\n#if SIZE_MAX <= 0xffffffff\n#error \"a block of this network has more bytes than "
              "addresses of 32 bits reach\"\n"));
    free(text);
    free(header);
    free(out);
    free(large);
    free(path);
    folder_remove(folder);
}

/* What has no end is not read to it. */
static void endless_files(void **state)
{
    (void)state;
    char *folder = folder_with_graph();
    static const char *const cases[][2] = {
        { "/dev/zero --summary", "/dev/zero is longer than 1048576 bytes" },
        { "net.lua --dump plan --tuned /dev/zero", "/dev/zero is longer than 1048576 bytes" },
        { "net.lua -o out --emit library --weights /dev/zero",
          "/dev/zero: cannot be read: it is neither a plain file nor a pipe" },
    };
    for (int i = 0; i < 3; i++) {
        Result result = run_caec(folder, "%s", cases[i][0]);
        want_exit(&result, 3);
        assert_non_null(strstr(result.err, cases[i][1]));
        result_free(&result);
    }
    folder_remove(folder);
}

/* Nothing but text, lines and tabs. */
static void want_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || (unsigned char)*c >= 0x7f)
            fail_msg("a byte 0x%02x: %s", (unsigned char)*c, text);
}

static Result run_on(const char *folder, const char *file, const char *option, const char *value)
{
    Result result = run_words(folder,
                              (const char *const[]){ caec_binary(), file, option, value, NULL });
    want_plain(result.out);
    want_plain(result.err);
    return result;
}

/* The graph file's name comes to the terminal, into dumps and into the emitted files. */
static void its_own_name_is_text(void **state)
{
    (void)state;
    static const char *const wrong[] = { "local x = 1 +\n", "\033Lua", "error(\"x\")",
                                         "for i = 1, 1e9 do end",
                                         "local x = ((\"x\"):rep(99999)):rep(99999)" };
    char *folder = folder_new(), *name = text_of("%s", "\033[31ma\n*\233\302\205.lua"),
         *path = text_of("%s/%s", folder, name);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        file_write(path, wrong[i], strlen(wrong[i]));
        Result result = run_on(folder, name, "--summary", NULL);
        want_exit(&result, 1);
        if (strncmp(result.err, "?[31ma?*??.lua:", 15) != 0)
            fail_msg("%s", result.err);
        result_free(&result);
    }
    file_write(path, graph, strlen(graph));
    static const char *const options[][2] = {
        { "--summary" },      { "--dot" },     { "--dump", "load" },
        { "--dump", "plan" }, { "-o", "out" }, { "--weights", "\033\n.st" },
        { "\033[2J\n" },      { "--\033x" },   { "--tuned", "\033\n.txt" }
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        Result result = run_on(folder, name, options[i][0], options[i][1]);
        want_exit(&result, i < 5 ? 0 : 2);
        result_free(&result);
    }
    char *out = text_of("%s/out/net", folder);
    FileList list = files_below(out);
    for (int i = 0; i < list.count; i++) {
        char *file = text_of("%s/%s", out, list.path[i]), *text = file_read(file, NULL);
        if (strncmp(list.path[i], "runtime/", 8) != 0)
            want_plain(text);
        free(file);
        free(text);
    }
    file_list_free(&list);
    free(out);
    free(path);
    free(name);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_usage),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(what_cannot_be_written),
        cmocka_unit_test(a_folder_without_permission),
        cmocka_unit_test(nothing_is_replaced_by_half),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(blocks_beyond_an_address),
        cmocka_unit_test(its_own_name_is_text),
        cmocka_unit_test(endless_files),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
