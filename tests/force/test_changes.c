/* What others do while a program is at work: its folder is renamed or deleted, its pictures change,
   signals end it. Nothing of another's is touched, nothing half written stays, and a run goes on,
   or says what it would take to go on. */
#define _GNU_SOURCE /* SIGPOLL, SIGPWR */
#include "force.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PICTURES "--train train --val val --threads 2"
#define FIRST " --batch 4 --seed 7"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 24, 1);
    pictures_write(folder, "val", 8, 2);
    Result result = run(folder, OTHER_TRAIN " --out whole " PICTURES " --epochs 4" FIRST);
    want_exit(&result, 0);
    result_free(&result);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Runs a shell's script in the folder, which must succeed. */
static void script(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void script(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
    want_exit(&result, 0);
    result_free(&result);
    free(text);
}

/* Runs a command, which must end so and say the words. */
static void want(int code, const char *words, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void want(int code, const char *words, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
    if (result.exit_code != code || (!strstr(result.out, words) && !strstr(result.err, words)))
        fail_msg("%s: exit code %d, not %d, or nothing of \"%s\" in \"%s%s\"", text,
                 result.exit_code, code, words, result.out, result.err);
    result_free(&result);
    free(text);
}

/* What the command of `start` says must hold the words. */
static void want_said(const char *words)
{
    char *text = said(folder);
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
    free(text);
}

static bool has_temporaries(const char *path)
{
    bool found = false;
    char *whole = text_of("%s/%s", folder, path);
    DIR *list = opendir(whole);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        found = found || strncmp(entry->d_name, ".caec-", 6) == 0;
    if (list)
        closedir(list);
    free(whole);
    return found;
}

/* ---- the run's folder ---- */

static pid_t endless(const char *out)
{
    char *sheet = text_of("%s/samples/epoch_002.png", out);
    pid_t child = start(
        folder, OTHER_TRAIN " --out %s " PICTURES " --checkpoint-every 1 --epochs 100000" FIRST,
        out);
    wait_for(folder, sheet);
    free(sheet);
    return child;
}

/* Another run begins in its place. Each keeps what is its own, and the first says where that is by
 * now. */
static void a_folder_that_is_renamed(void **state)
{
    (void)state;
    pid_t child = endless("place");
    script("mv place kept");
    script(OTHER_TRAIN " --out place " PICTURES " --epochs 2" FIRST " && cp -r place second");
    kill(child, SIGTERM);
    assert_int_equal(finish(child, NULL), 128 + SIGTERM);
    want_said("the run's folder has been renamed; the run goes on in ");
    char *words = said(folder), *command = strstr(words, "to go on: ");
    assert_non_null(command);
    assert_non_null(strstr(command, "/kept --resume"));
    script("diff -r place second");
    script("test ! -e kept/.lock && test ! -e place/.lock");
    assert_false(has_temporaries("kept") || has_temporaries("place"));
    command[strcspn(command, "\n")] = '\0';
    script("cp kept/last.safetensors before; %s --epochs 1000000 --steps 1000000 "
           "--checkpoint-every 1 & child=$!; i=0; while cmp -s kept/last.safetensors before && "
           "[ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done; kill $child; wait $child; "
           "! cmp -s kept/last.safetensors before",
           command + strlen("to go on: "));
    free(words);
}

/* Renamed over and over, at any moment of a save: the bits are those of an undisturbed run, and
 * nothing is left elsewhere. */
static void a_folder_that_is_renamed_again_and_again(void **state)
{
    (void)state;
    pid_t child = start(folder, OTHER_TRAIN " --out moving0 " PICTURES
                                            " --checkpoint-every 1 --epochs 4" FIRST);
    wait_for(folder, "moving0/last.safetensors");
    script("i=0; while kill -0 %ld 2>/dev/null && [ $i -lt 400 ] && ! grep -q done said; do mv "
           "moving$i moving$((i + 1)) && mkdir moving$i; i=$((i + 1)); done; "
           "mv moving$i moved; rmdir moving*",
           (long)child);
    assert_int_equal(finish(child, NULL), 0);
    assert_true(same_in(folder, "moved/last.safetensors", "whole/last.safetensors")
                && same_in(folder, "moved/best.safetensors", "whole/best.safetensors"));
    assert_true(same_in(folder, "moved/samples/epoch_004.png", "whole/samples/epoch_004.png"));
    assert_false(has_temporaries("moved"));
}

/* While the run stands still, so that it does not write into what is being deleted. In its place
 * there is another folder by then, or nothing. */
static void deleted(bool replaced)
{
    pid_t child = endless("doomed");
    stand_still(child);
    script(replaced ? "rm -rf doomed && mkdir doomed && touch doomed/mine" : "rm -rf doomed");
    kill(child, SIGCONT);
    assert_int_equal(finish(child, NULL), 3);
    want_said("was deleted while the run was at work");
    want_said(replaced ? "the new folder doomed.1; doomed.1/last.safetensors still holds step "
                       : "the new folder doomed; doomed/last.safetensors still holds step ");
    assert_true(!replaced
                || (is_in(folder, "doomed/mine") && !is_in(folder, "doomed/last.safetensors")));
    char *words = said(folder), *command = strstr(words, "to go on from there: ");
    assert_non_null(command);
    command[strcspn(command, "\n")] = '\0';
    script("%s --epochs 1",
           command + strlen("to go on from there: ")); /* it has done more than that by now */
    free(words);
}

static void a_folder_that_is_deleted(void **state)
{
    (void)state;
    deleted(false);
    script("rm -rf doomed");
    deleted(true);
}

/* ---- pictures ---- */

#define RESUME OTHER_TRAIN " " PICTURES " --epochs 4 --resume --out "

static void begin(const char *out)
{
    script("rm -rf %s && " OTHER_TRAIN " --out %s " PICTURES " --epochs 4 --steps 8" FIRST, out,
           out);
}

static void want_the_end(const char *out)
{
    char *last = text_of("%s/last.safetensors", out);
    assert_true(same_in(folder, last, "whole/last.safetensors"));
    free(last);
}

/* Between two pieces of a run. */
static void pictures_of_a_stopped_run(void **state)
{
    (void)state;
    script("set -- train/*; cp \"$1\" first; cp \"$2\" other; echo \"$1\" >name");
    begin("seen");
    script("touch -d 2001-01-01 train/* val/*");
    want(0, "done", RESUME "seen");
    want_the_end("seen");
    begin("seen");
    script("cp other \"$(cat name)\"");
    want(1, "its content has changed since the run began", RESUME "seen");
    want(1, "its content has changed since the run began", RESUME "seen --skip-unreadable");
    script("cp first \"$(cat name)\"");
    want(0, "done", RESUME "seen");
    want_the_end("seen");
    begin("seen");
    script("cp other \"$(cat name)\" && rm seen/pictures.txt");
    want(0, "there is no pictures.txt", RESUME "seen");
    begin("seen");
    script("cp first \"$(cat name)\" && rm \"$(cat name)\"");
    want(1, "was there when the run began", RESUME "seen");
    want(0, "1 unreadable picture was passed over", RESUME "seen --skip-unreadable");
    script("cp first \"$(cat name)\"");
    begin("seen");
    script("head -c 200 first >\"$(cat name)\"");
    want(1, "its content has changed since the run began", RESUME "seen");
    want(0, "1 unreadable picture was passed over", RESUME "seen --skip-unreadable");
    script("cp first \"$(cat name)\"");
    begin("seen");
    script("echo 'caec pictures 1' >seen/pictures.txt");
    want(1, "seen/pictures.txt:2: no table of a run's pictures", RESUME "seen");
}

/* While the run is at work and reads its pictures anew in each epoch; what it reads is changed in
 * one step, by a rename. */
static void pictures_of_a_run_at_work(void **state)
{
    (void)state;
    static const struct {
        const char *harm, *words;
        int code;
    } cases[] = {
        { "rm", "it was readable before", 3 },
        { "head -c 200 first >new && mv new", "it was readable before", 1 },
        { "cp other new && mv new", "its content has changed", 1 },
    };
    for (int i = 0; i < 3; i++) {
        script("rm -rf busy");
        pid_t child = start(folder, OTHER_TRAIN " --out busy " PICTURES
                                                " --cache-memory 0 --epochs 100000" FIRST);
        wait_for(folder, "busy/samples/epoch_001.png");
        script("%s \"$(cat name)\"", cases[i].harm);
        assert_int_equal(finish(child, NULL), cases[i].code);
        want_said(cases[i].words);
        want_said("last.safetensors holds step ");
        script("cp first \"$(cat name)\"");
        char *words = said(folder), *command = strstr(words, "to go on from there: ");
        assert_non_null(command);
        command[strcspn(command, "\n")] = '\0';
        script("%s --epochs 1 | grep -q finished", command + strlen("to go on from there: "));
        free(words);
    }
    script("rm -rf busy");
    pid_t child = start(folder,
                        OTHER_TRAIN " --out busy " PICTURES
                                    " --cache-memory 0 --skip-unreadable --epochs 100000" FIRST);
    wait_for(folder, "busy/samples/epoch_001.png");
    script("rm \"$(cat name)\"");
    for (double end = now() + WAIT_SECONDS; now() < end; wait_seconds(0.05)) {
        char *words = said(folder);
        bool told = strstr(words, "cannot be read: No such file or directory") != NULL;
        free(words);
        if (told)
            break;
    }
    kill(child, SIGTERM);
    assert_int_equal(finish(child, NULL), 128 + SIGTERM);
    want_said("cannot be read: No such file or directory");
    script("cp first \"$(cat name)\"");
}

/* ---- options ---- */

static void options_that_are_given_twice(void **state)
{
    (void)state;
    want(0, "learning from 32 pictures in train and val, validating on 32 in val and train",
         OTHER_TRAIN " --out twice --train train --train val --val val --val train"
                     " --steps 2" FIRST);
    want(1, ", or the folders come in another order",
         OTHER_TRAIN
         " --out twice --train val --train train --val val --val train --resume --steps 3");
    want(0, "done: 3 updates",
         OTHER_TRAIN
         " --out twice --train train --train val --val val --val train --resume --steps 3");
    script("mkdir -p both/inner && cp train/* both && cp val/* both/inner");
    want(0, "both/inner lies in both, which is given too: its pictures count twice",
         OTHER_TRAIN " --out twice2 --train both/inner --train both --steps 1");
    want(0, "./val is the folder val once more: its pictures count twice",
         OTHER_TRAIN " --out twice3 --train val --train ./val --steps 1");
    want(0, "--steps is given twice, as 9 and as 2; the last counts",
         OTHER_TRAIN " --out twice4 --train train --steps 9 --steps 2");
    want(0, "done: 2 updates", OTHER_TRAIN " --out twice4 --train train --steps 9 --steps 2");
    want(0, "--weights is given twice",
         OTHER_INFER " --weights none --weights whole/best.safetensors score val");
    want(0, "--list is given twice, as ops and as passes; the last counts",
         "%s --list ops --list passes", caec_binary());
    want(2, "--optimizer lr of sgd is given twice",
         OTHER_TRAIN " --train train --optimizer sgd,lr=0.1,lr=0.3");
    want(2, "CI is given twice", "%s --expand conv_direct CI=3 CO=8 CI=4", caec_binary());
    want(0, "the layer was given conv_direct before; the last counts",
         "%s %s/tests/whole/other.lua --summary --kernel encoder.conv1=conv_direct "
         "--kernel encoder.conv1=conv_plain",
         caec_binary(), project_folder());
    want(2, "exclude each other", OTHER_TRAIN " --train train --strict --skip-unreadable");
    static const char *const programs[] = { OTHER_TRAIN, OTHER_INFER, "caec" };
    for (int i = 0; i < 3; i++)
        want(0, "the last counts",
             "%s --help | tr -s ' \\n' ' ' | grep -o 'given twice the last counts'",
             i < 2 ? programs[i] : caec_binary());
}

/* ---- signals ---- */

static const int ending[] = { SIGHUP,  SIGINT,  SIGQUIT,   SIGTERM, SIGALRM, SIGUSR1,
                              SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR };
enum { ENDING = sizeof ending / sizeof ending[0] };

static void trainers_save(void **state)
{
    (void)state;
    for (int i = 0; i <= ENDING; i++) {
        int number = i < ENDING ? ending[i] : SIGRTMIN + 3;
        script("rm -rf asked");
        pid_t child = start(folder, OTHER_TRAIN " --out asked " PICTURES " --epochs 100000" FIRST);
        wait_for(folder, "asked/samples/epoch_001.png");
        kill(child, number);
        assert_int_equal(finish(child, NULL), 128 + number);
        want_said("; saved in asked/last.safetensors; to go on: ");
        assert_false(has_temporaries("asked"));
    }
    script("rm -rf asked");
    pid_t child = start(folder,
                        "nohup " OTHER_TRAIN " --out asked " PICTURES " --epochs 100000" FIRST);
    wait_for(folder, "asked/samples/epoch_001.png");
    kill(child, SIGHUP);
    wait_for(folder, "asked/samples/epoch_004.png"); /* goes on */
    kill(child, SIGXCPU);
    kill(child, SIGXCPU); /* comes every second where a limit is passed */
    assert_int_equal(finish(child, NULL), 128 + SIGXCPU);
}

/* A pipe for the last picture holds the program up while its output is half written. */
static pid_t held_up(const char *prefix)
{
    script("rm -rf out waiting && mkdir out && mkfifo waiting");
    pid_t child = start(folder,
                        "%s" OTHER_INFER
                        " --weights whole/best.safetensors encode val waiting -o out/z.npy",
                        prefix);
    for (double end = now() + WAIT_SECONDS; !has_temporaries("out") && now() < end;
         wait_seconds(0.001))
        ;
    assert_true(has_temporaries("out"));
    return child;
}

static void inference_ends_at_once(void **state)
{
    (void)state;
#if defined __SANITIZE_THREAD__ /* it keeps a signal back while the program waits for a pipe */
    skip();
#endif
    for (int i = 0; i <= ENDING + 1; i++) {
        int number = i < ENDING ? ending[i] : i == ENDING ? SIGPIPE : SIGRTMIN + 3;
        pid_t child = held_up("");
        kill(child, number);
        assert_int_equal(finish(child, NULL), 128 + number);
        assert_false(has_temporaries("out") || is_in(folder, "out/z.npy"));
        if (number != SIGPIPE)
            want_said("other-infer: stopped by a signal; nothing was written");
    }
    pid_t child = held_up("nohup ");
    kill(child, SIGHUP);
    wait_seconds(0.2);
    assert_true(has_temporaries("out"));
    script("cat \"$(cat name)\" >waiting");
    assert_int_equal(finish(child, NULL), 0);
    assert_true(is_in(folder, "out/z.npy"));
    want(3, "out/z.npy: cannot be written",
         "rm -f out/z.npy; ulimit -f 1; " OTHER_INFER
         " --weights whole/best.safetensors encode train -o out/z.npy");
    assert_false(has_temporaries("out") || is_in(folder, "out/z.npy"));
    script("rm -rf drawn");
    child = start(folder, OTHER_TRAIN " pictures --out drawn --count 100000");
    wait_for(folder, "drawn/0010.png");
    kill(child, SIGUSR1);
    assert_int_equal(finish(child, NULL), 128 + SIGUSR1);
    assert_false(has_temporaries("drawn"));
}

/* ---- what a killed program leaves ---- */

static void the_next_program_sweeps(void **state)
{
    (void)state;
    pid_t child = held_up("");
    kill(child, SIGKILL);
    finish(child, NULL);
    assert_true(has_temporaries("out"));
    /* Others' are left alone: of a process that lives; of one whose number cannot be seen here, but
     * which holds its lock; names that are not of our kind. */
    script("touch out/.caec-%ld-0.tmp out/.caec-0x-1.tmp out/.caec-1-2.tmp.png && mkdir "
           "out/.caec-999999999-4.wait && touch out/.caec-999999999-4.wait/0000.png",
           (long)getpid());
    char *locked = text_of("%s/out/.caec-999999999-3.tmp", folder);
    int file = open(locked, O_WRONLY | O_CREAT, 0666);
    assert_int_equal(flock(file, LOCK_EX), 0);
    want(0, "", OTHER_INFER " --weights whole/best.safetensors encode val -o out/z.npy");
    assert_true(is_in(folder, "out/.caec-0x-1.tmp") && is_in(folder, "out/.caec-1-2.tmp.png")
                && is_in(folder, "out/.caec-999999999-3.tmp"));
    assert_false(is_in(folder, "out/.caec-999999999-4.wait"));
    char *killed = text_of("out/.caec-%ld-0.tmp", (long)child),
         *ours = text_of("out/.caec-%ld-0.tmp", (long)getpid());
    assert_false(is_in(folder, killed));
    assert_true(is_in(folder, ours));
    close(file);
    want(0, "", OTHER_INFER " --weights whole/best.safetensors decode out/z.npy -o out");
    assert_false(is_in(folder, "out/.caec-999999999-3.tmp"));
    assert_true(is_in(folder, "out/0007.png") && is_in(folder, ours));
    free(locked);
    free(killed);
    free(ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_that_is_renamed),
        cmocka_unit_test(a_folder_that_is_renamed_again_and_again),
        cmocka_unit_test(a_folder_that_is_deleted),
        cmocka_unit_test(pictures_of_a_stopped_run),
        cmocka_unit_test(pictures_of_a_run_at_work),
        cmocka_unit_test(options_that_are_given_twice),
        cmocka_unit_test(trainers_save),
        cmocka_unit_test(inference_ends_at_once),
        cmocka_unit_test(the_next_program_sweeps),
    };
    return cmocka_run_group_tests_name("force changes", tests, set_up, tear_down);
}
