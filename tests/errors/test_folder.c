/* The folder that caec writes to: what is not its own stays, or is refused by name and replaced
   with --force; what is its own is replaced and goes without a word. And how caec ends by signals,
   with handles that are closed, and with an output that is full. */
#define _XOPEN_SOURCE 700
#include "cases.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char graph[] = GRAPH(CONV5, CONV3);

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    char *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    free(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* In the folder, where $CAEC is the compiler. */
static Result script(const char *text)
{
    setenv("CAEC", caec_binary(), 1);
    return run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
}

static void want_script(const char *text)
{
    Result result = script(text);
    want_exit(&result, 0);
    result_free(&result);
}

static void write_model(const char *options)
{
    Result result = run_caec(folder, "net.lua -o out --target c --no-runtime%s", options);
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

/* The same is refused, says `name`, and leaves everything as it is. */
static void want_refused_model(const char *options, const char *name)
{
    want_script("rm -rf before && cp -a out before");
    Result result = run_caec(folder, "net.lua -o out --target c --no-runtime%s", options);
    want_exit(&result, 3);
    if (!strstr(result.err, name) || strncmp(result.err, "caec: error: ", 13) != 0)
        fail_msg("'%s' is not in: %s", name, result.err);
    result_free(&result);
    want_script("diff -r --no-dereference before out && test -z \"$(find out -name '.caec*' -o "
                "-name '*.tmp*')\"");
}

static void of_somebody_else(void **state)
{
    (void)state;
    want_script("mkdir -p out/net && printf 'project(x C)\nadd_executable(x\n  main.c)\n' "
                ">out/net/CMakeLists.txt && echo mine >out/net/main.c && "
                "echo mine >out/net/README.md");
    want_refused_model("", "out/net holds files that caec did not write or that were changed "
                           "since: CMakeLists.txt, README.md; nothing was written. "
                           "Move them away, give another folder with -o, or have them replaced "
                           "with --force\n");
    write_model(" --force");
    want_script("grep -q mine out/net/main.c && ! grep -q mine out/net/README.md");
    write_model("");
}

static void of_ours(void **state)
{
    (void)state;
    want_script("echo >>out/net/net.c; echo >>out/net/net_prepare.c");
    want_refused_model("", ": net_prepare.c, net.c; ");
    want_refused_model(" --real double", ": net_prepare.c, ");
    want_refused_model(" --emit library --no-training", "net.c");
    write_model(" --force");
    want_script(
        "rm out/net/net.c out/net/encoder_conv1_*.c"); /* what is missing is written again */
    write_model("");
    write_model(" --real double"); /* and what is unchanged is replaced */
    write_model("");
}

/* What is written no longer goes, folders and all; what others put beside it stays, and may be in a
 * folder of ours. */
static void no_longer_written(void **state)
{
    (void)state;
    want_script("$CAEC net.lua -o out --target c && mkdir out/net/build && echo mine "
                ">out/net/build/a && echo mine >out/net/runtime/images/a && "
                "$CAEC net.lua -o out --target c --emit library");
    want_script("test -f out/net/build/a && test -f out/net/main.c && test \"$(find "
                "out/net/runtime -type f)\" = out/net/runtime/images/a && "
                "! test -e out/net/runtime/formats && ! test -e out/net/net_supported.cc && ! test "
                "-e out/net/encoder_conv1_forward.c");
    want_script("$CAEC net.lua -o new --target c --emit library && rm -r out/net/runtime "
                "out/net/build out/net/main.c && diff -r out new && rm -r new");
    want_script("echo >>out/net/example.c");
    want_refused_model("", "since: example.c; ");
    want_script("rm out/net/example.c");
    write_model("");
}

static void time_of(const char *path, struct timespec *time)
{
    struct stat status;
    char *whole = text_of("%s/%s", folder, path);
    assert_int_equal(stat(whole, &status), 0);
    *time = status.st_mtim;
    free(whole);
}

/* Of the same bytes, with a manifest or without one as an older caec left it. */
static void nothing_changes(void **state)
{
    (void)state;
    struct timespec before, after;
    write_model("");
    want_script("touch -d 2001-01-01 out/net/*");
    time_of("out/net/caec.manifest", &before);
    write_model("");
    time_of("out/net/caec.manifest", &after);
    assert_int_equal(before.tv_sec, after.tv_sec);
    want_script("rm out/net/caec.manifest");
    write_model("");
    time_of("out/net/net.c", &after);
    assert_int_equal(before.tv_sec, after.tv_sec);
    want_script("test -s out/net/caec.manifest && rm out/net/caec.manifest");
    want_refused_model(" --real double", " more; nothing was written");
    write_model("");
}

static void links_and_pipes(void **state)
{
    (void)state;
    static const struct {
        const char *make, *name;
        bool forced;
    } cases[] = {
        { "ln -s ../../victim out/net/net.c", "net.c", true },
        { "ln -s ../../nowhere out/net/net.c", "net.c", true },
        { "mkfifo out/net/net.c", "net.c", true },
        { "mkdir out/net/net.c", "net.c", false },
        { "rm out/net/caec.manifest && mkfifo out/net/caec.manifest", "caec.manifest", true },
        { "cp out/net/caec.manifest m && rm out/net/caec.manifest && ln -s ../../m "
          "out/net/caec.manifest",
          "caec.manifest", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_model("");
        want_script("echo mine >victim; rm out/net/net.c");
        want_script(cases[i].make);
        Result result = script("timeout 60 $CAEC net.lua -o out --target c --no-runtime --real "
                               "double");
        want_exit(&result, 3);
        assert_non_null(strstr(result.err, cases[i].name));
        result_free(&result);
        result = script("timeout 60 $CAEC net.lua -o out --target c --no-runtime --force");
        want_exit(&result, cases[i].forced ? 0 : 3);
        assert_true(cases[i].forced || strstr(result.err, "--force replaces no folder"));
        result_free(&result);
        want_script("test \"$(cat victim)\" = mine && ! test -e nowhere && rm -rf out");
    }
}

/* A folder of ours that has become a link, and the folder itself. */
static void links_to_folders(void **state)
{
    (void)state;
    static const char *const makes[] = { "$CAEC net.lua -o out && mv out/net/runtime else && ln -s "
                                         "../../else out/net/runtime",
                                         "$CAEC net.lua -o out && mv out/net else && ln -s ../else "
                                         "out/net" };
    for (int i = 0; i < 2; i++) {
        want_script(makes[i]);
        want_script("cp -a else kept; echo >>else/extra; cp -a else kept");
        Result result = script("$CAEC net.lua -o out --emit library --force && $CAEC net.lua -o "
                               "out");
        want_exit(&result, 3);
        result_free(&result);
        want_script("rm -r kept; cp -a else kept; ! $CAEC net.lua -o out --force 2>/dev/null && "
                    "diff -r else kept && rm -r out else kept");
    }
}

/* A manifest from elsewhere may name what it likes, with its right hash. */
static void hostile_manifests(void **state)
{
    (void)state;
    static const char *const names[] = {
        "../victim", "/tmp/../$PWD/victim", "sub/../../../victim", ".git/config", "", "a//b",
        "./victim",  "caec.manifest"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        write_model("");
        char *add = text_of("printf hello >victim; mkdir -p out/net/.git && printf hello "
                            ">out/net/.git/config; echo \"a430d84680aabd0b %s\" "
                            ">>out/net/caec.manifest",
                            names[i]);
        want_script(add);
        want_refused_model(" --real double", "caec.manifest");
        write_model(" --real double --force");
        want_script("test \"$(cat victim)\" = hello && test \"$(cat out/net/.git/config)\" = hello "
                    "&& rm -rf out");
        free(add);
    }
    static const char *const lines[] = { "a430d84680aabd0b", "a430d84680aabd0bvictim",
                                         "A430D84680AABD0B victim", "a430d84680aabd0 victim" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char *add = text_of("echo '%s' >>out/net/caec.manifest", lines[i]);
        write_model("");
        want_script(add);
        want_refused_model("", "caec.manifest");
        want_script("rm -r out");
        free(add);
    }
    write_model(""); /* one that names a file of the folder, with its hash, may have it removed; a
                        link of that name stays */
    want_script("printf hello >out/net/a.c; printf hello >victim; ln -s ../../victim out/net/b.c; "
                "for i in a b; do echo \"a430d84680aabd0b $i.c\" "
                ">>out/net/caec.manifest; done");
    want_refused_model("", "since: b.c; ");
    want_script("rm out/net/b.c");
    write_model("");
    want_script("test \"$(cat victim)\" = hello && ! test -e out/net/a.c");
}

static void several_at_once(void **state)
{
    (void)state;
    want_script("rm -rf out; for i in 1 2 3 4 5 6; do $CAEC net.lua -o out --target c --no-runtime "
                "$(test $((i % 2)) = 0 || echo --real double) & pids=\"$pids $!\"; done; "
                "for pid in $pids; do wait $pid || exit 1; done");
    want_script("$CAEC net.lua -o a --target c --no-runtime && $CAEC net.lua -o b --target c "
                "--no-runtime --real double && { diff -r out a || diff -r out b; } && rm -r a b");
}

/* Temporaries of one that was killed go, and nothing else. */
static void left_overs(void **state)
{
    (void)state;
    write_model("");
    want_script("mkdir out/net/.caec-999999999-0.tmp && cd out/net/.caec-999999999-0.tmp && touch "
                "n1 n12 o3");
    write_model("");
    want_script("! test -e out/net/.caec-999999999-0.tmp && mkdir out/net/.caec-999999999-0.tmp && "
                "cd out/net/.caec-999999999-0.tmp && touch n1 mine");
    write_model("");
    want_script("cd out/net/.caec-999999999-0.tmp && test \"$(echo *)\" = mine && rm -r "
                "../.caec-999999999-0.tmp");
}

/* Links that wait under every name that a temporary file may get: exec keeps the shell's number. */
static void links_for_temporaries(void **state)
{
    (void)state;
    want_script(
        "echo mine >victim; rm -rf out; mkdir -p out/net; for name in net.c.tmp$$ .caec-$$-0.tmp "
        ".caec-$$-1.tmp; do ln -s ../../victim out/net/$name; done; "
        "exec $CAEC net.lua -o out --target c --no-runtime");
    want_script("test \"$(cat victim)\" = mine && ! test -L out/net/net.c && "
                "test $(find out -name '*tmp*' -type l | wc -l) = 3 && rm -r out");
}

/* ---- how it ends ---- */

/* Waits for its graph, which is a pipe that nobody writes into; `closed`: its handles 0 to 2. */
static pid_t start_waiting(bool closed, int *pipe_end)
{
    char *path = text_of("%s/pipe.lua", folder), *out = text_of("%s/piped", folder);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int handle = 0; handle < 1024 && closed; handle++)
            close(handle);
        if (!closed && !freopen("/dev/null", "w", stderr))
            _exit(98);
        execl(caec_binary(), "caec", path, "-o", out, (char *)NULL);
        _exit(99);
    }
    *pipe_end = open(path, O_WRONLY); /* comes back as soon as it reads */
    assert_true(*pipe_end >= 0);
    free(path);
    free(out);
    return child;
}

static void ended_by_signals(void **state)
{
    (void)state;
    static const int signals[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,   SIGPIPE, SIGALRM,
                                   SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int status, pipe_end;
        pid_t child = start_waiting(false, &pipe_end);
        kill(child, signals[i]);
        assert_int_equal(waitpid(child, &status, 0), child);
        close(pipe_end);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + signals[i])
            fail_msg("signal %d: status %x", signals[i], status);
        want_script("! test -e piped");
    }
}

/* Those that whoever started it ignores do not end it. */
static void ignored_signals(void **state)
{
    (void)state;
    int status, pipe_end;
    signal(SIGHUP, SIG_IGN);
    pid_t child = start_waiting(false, &pipe_end);
    signal(SIGHUP, SIG_DFL);
    kill(child, SIGHUP);
    assert_int_equal(write(pipe_end, graph, strlen(graph)), strlen(graph));
    close(pipe_end);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    want_script("test -f piped/net/net.c && rm -r piped");
}

static void a_limit_of_length(void **state)
{
    (void)state;
    write_model(" --real double");
    Result result = script("rm -rf before; cp -a out before; ulimit -f 2 && $CAEC net.lua -o out "
                           "--no-runtime; code=$?; $CAEC net.lua -o fresh; test $? = 3 && exit "
                           "$code");
    want_exit(&result, 3);
    assert_non_null(strstr(result.err, ": File too large; nothing was written\n"));
    result_free(&result);
    want_script("diff -r out before && ! test -e fresh");
}

/* The folder that --tune compiles in goes, however it ends; one that a process which is no more
 * left goes with it. */
static void of_tuning(void **state)
{
    (void)state;
    want_script("mkdir -p tmp/caec-tune-999999999-abcdef/net tmp/caec-tune-1-abcdef tmp/mine");
    Result result = script("TMPDIR=$PWD/tmp CC=false $CAEC net.lua --tune tuned");
    want_exit(&result, 3);
    assert_non_null(strstr(result.err, "--tune: the C compiler false failed"));
    result_free(&result);
    want_script("test \"$(echo tmp/*)\" = 'tmp/caec-tune-1-abcdef tmp/mine'");
    result = script("printf '#!/bin/sh\\nkill -TERM $(cat pid)\\nsleep 1\\n' >cc.sh; chmod +x "
                    "cc.sh; me=$PWD; "
                    "TMPDIR=$PWD/tmp CC=\"cd $me; ./cc.sh\" sh -c 'echo $$ >pid; exec $CAEC "
                    "net.lua --tune tuned'");
    want_exit(&result, 128 + SIGTERM);
    result_free(&result);
    want_script("test \"$(echo tmp/*)\" = 'tmp/caec-tune-1-abcdef tmp/mine' && ! test -e tuned && "
                "rm -r tmp");
}

/* What is opened first is not taken for stdout. */
static void closed_handles(void **state)
{
    (void)state;
    int status, pipe_end;
    pid_t child = start_waiting(true, &pipe_end);
    for (int handle = 0; handle < 3; handle++) {
        char link[100] = "", *path = text_of("/proc/%ld/fd/%d", (long)child, handle);
        if (readlink(path, link, sizeof link - 1) < 0 && !file_exists("/proc/self/fd"))
            break;
        assert_string_equal(link, "/dev/null");
        free(path);
    }
    assert_int_equal(write(pipe_end, graph, strlen(graph)), strlen(graph));
    close(pipe_end);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    want_script("$CAEC net.lua -o open && cmp piped/net/net_kernels.h open/net/net_kernels.h && "
                "test $(ls piped/net | wc -l) = $(ls open/net | wc -l) && "
                "rm -r piped open");
}

static void a_full_output(void **state)
{
    (void)state;
    static const char *const words[] = { "--help",
                                         "--usage",
                                         "--version",
                                         "--list ops",
                                         "--expand conv_direct",
                                         "net.lua --summary",
                                         "net.lua --dump plan",
                                         "net.lua --dot",
                                         "net.lua --memory",
                                         "net.lua --summary -o full" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *text = text_of("exec $CAEC %s >/dev/full", words[i]);
        Result result = script(text);
        want_exit(&result, 3);
        assert_string_equal(result.err, "caec: error: cannot write the output\n");
        result_free(&result);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_somebody_else),  cmocka_unit_test(of_ours),
        cmocka_unit_test(no_longer_written), cmocka_unit_test(nothing_changes),
        cmocka_unit_test(links_and_pipes),   cmocka_unit_test(links_to_folders),
        cmocka_unit_test(hostile_manifests), cmocka_unit_test(several_at_once),
        cmocka_unit_test(left_overs),        cmocka_unit_test(links_for_temporaries),
        cmocka_unit_test(ended_by_signals),  cmocka_unit_test(ignored_signals),
        cmocka_unit_test(a_limit_of_length), cmocka_unit_test(of_tuning),
        cmocka_unit_test(closed_handles),    cmocka_unit_test(a_full_output),
    };
    return cmocka_run_group_tests_name("folder", tests, set_up, tear_down);
}
