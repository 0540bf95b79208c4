/* The small model written by hand, trained in a process of its own that is disturbed at each place
   in turn: killed before every call that touches a file, killed in the middle of every write, every
   such call refused, every allocation refused once or from there on. What is left goes on to the
   end, with the bits of an undisturbed run; and whoever was refused something has said so. Files
   are synced before they take their names, and folders after every name that they are given.
   Environment: FORCE_ALL, not empty: eleven times as many places.
   Under a sanitizer there are more of the refusals and fewer of the kills. */
#define _DEFAULT_SOURCE
#include "cases.h"
#include "files.h"
#include "sanitized.h"

#include "train/train_run.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum Mishap {
    NOTHING,
    KILLED,
    KILLED_IN_A_WRITE,
    REFUSED,
    NO_MEMORY,
    NO_MEMORY_FROM_THERE_ON
} Mishap;

static Mishap mishap;
static bool counts_jansson;  /* allocations of the JSON library count too */
static atomic_int countdown; /* of the places that the mishap may hit; it hits at 0 */

/* What a child tells before it ends. */
typedef struct Report {
    int result, exit_code, hit, undone; /* hit: the place came; undone: a file took its name before
                                           it was synced, or a folder was not after it */
    int named, folders_synced;          /* names given by rename and mkdir, and syncs of their
                                           folders */
    char text[800];
} Report;

static Report *report; /* shared with the children */

static bool hits(Mishap first, Mishap last)
{
    if (mishap < first || mishap > last)
        return false;
    int left = atomic_fetch_sub(&countdown, 1);
    bool here = left == 0 || (left < 0 && mishap == NO_MEMORY_FROM_THERE_ON);
    if (here)
        report->hit = 1;
    return here;
}

/* A call that touches a file: 1 where it is refused. */
static bool file_call(int reason)
{
    if (!hits(KILLED, REFUSED) || mishap == KILLED_IN_A_WRITE)
        return false;
    if (mishap == KILLED)
        raise(SIGKILL);
    errno = reason;
    return true;
}

/* ---- in the place of the C library's (the linker's --wrap) ---- */

int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
FILE *__real_fopen(const char *path, const char *how);
size_t __real_fwrite(const void *bytes, size_t size, size_t n, FILE *file);
int __real_fflush(FILE *file);
int __real_fsync(int file);
int __real_renameat(int at_from, const char *from, int at_to, const char *to);
int __real_mkdirat(int at, const char *path, mode_t mode);
int __real_unlinkat(int at, const char *path, int flags);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);

static bool synced;

/* The folder that has got a name which is not synced yet. */
static struct stat pending;
static bool is_pending;

static void has_named(int at, const char *path)
{
    char place[4096];
    snprintf(place, sizeof place, "%s", path);
    char *slash = strrchr(place, '/');
    if (is_pending)
        report->undone = 1;
    if (slash)
        *slash = '\0';
    is_pending = fstatat(at, slash ? place : ".", &pending, 0) == 0;
    report->named++;
}

static void has_synced(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISDIR(status.st_mode))
        return;
    report->folders_synced++;
    if (is_pending && status.st_dev == pending.st_dev && status.st_ino == pending.st_ino)
        is_pending = false;
}

int __wrap_open(const char *path, int flags, ...)
{
    return file_call(EMFILE) ? -1 : __real_open(path, flags, 0666);
}

int __wrap_openat(int at, const char *path, int flags, ...)
{
    return file_call(EMFILE) ? -1 : __real_openat(at, path, flags, 0666);
}

FILE *__wrap_fopen(const char *path, const char *how)
{
    return file_call(EMFILE) ? NULL : __real_fopen(path, how);
}

size_t __wrap_fwrite(const void *bytes, size_t size, size_t n, FILE *file)
{
    synced = false;
    if (mishap == KILLED_IN_A_WRITE && hits(KILLED, REFUSED)) {
        __real_fwrite(bytes, 1, size * n / 2, file);
        __real_fflush(file);
        raise(SIGKILL);
    }
    return __real_fwrite(bytes, size, n, file);
}

int __wrap_fflush(FILE *file)
{
    return file_call(ENOSPC) ? EOF : __real_fflush(file);
}

int __wrap_fsync(int file)
{
    synced = true;
    if (file_call(EIO))
        return -1;
    has_synced(file);
    return __real_fsync(file);
}

int __wrap_renameat(int at_from, const char *from, int at_to, const char *to)
{
    if (strstr(from, ".tmp") && !synced)
        report->undone = 1;
    if (file_call(EACCES) || __real_renameat(at_from, from, at_to, to) != 0)
        return -1;
    has_named(at_to, to);
    return 0;
}

int __wrap_mkdirat(int at, const char *path, mode_t mode)
{
    if (file_call(ENOSPC) || __real_mkdirat(at, path, mode) != 0)
        return -1;
    has_named(at, path);
    return 0;
}

int __wrap_unlinkat(int at, const char *path, int flags)
{
    return file_call(EROFS) ? -1 : __real_unlinkat(at, path, flags);
}

static bool no_memory(void)
{
    bool none = hits(NO_MEMORY, NO_MEMORY_FROM_THERE_ON);
    if (none)
        errno = ENOMEM;
    return none;
}

void *__wrap_malloc(size_t size)
{
    return no_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return no_memory() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return no_memory() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return no_memory() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return no_memory() ? NULL : __real_strndup(text, n);
}

/* ---- runs ---- */

/* What ends a run: two epochs, or as many updates; four are an epoch. */
typedef struct End {
    const char *whole; /* the undisturbed run */
    int epochs, steps;
    bool inside; /* an epoch: last.safetensors then tells how long it has taken so far */
} End;

static const End two_epochs = { "whole", 2, 0, false }, eight_updates = { "by_steps", 0, 8, false },
                 six_updates = { "cut_short", 0, 6, true };
static const End *end = &two_epochs;

static char *folder;

/* Trains, or goes on, in folder/out, in a child that meets the mishap at the place. Returns how the
   child ended, as waitpid tells it. */
static int train(const char *out, Mishap what, int place)
{
    int status;
    char *path = text_of("%s/%s", folder, out), *last = text_of("%s/last.safetensors", path);
    TrainOptions o = { .command = TRAIN_RUN,
                       .out = path,
                       .batch = 256,
                       .threads = 2,
                       .cache_bytes = 1 << 22,
                       .cache_given = 1,
                       .epochs = (uint64_t)end->epochs,
                       .steps = (uint64_t)end->steps,
                       .checkpoint_updates = 2,
                       .resume = file_exists(last) };
    if (o.resume)
        o.batch = 0;
    *report = (Report){ 0 };
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Error error = { 0 };
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(1);
        alarm(300);
        if (counts_jansson)
            json_set_alloc_funcs(__wrap_malloc, free);
        is_pending = false; /* what the test itself has named does not count */
        atomic_store(&countdown, place);
        mishap = what;
        report->result = train_run(&caec_model, &o, &error);
        mishap = NOTHING;
        report->undone |= report->result == 0 && is_pending;
        report->exit_code = error.exit_code;
        memcpy(report->text, error.text, sizeof report->text);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    free(path);
    free(last);
    return status;
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const End *const ends[] = { &eight_updates, &six_updates, &two_epochs };
    for (int i = 0; i < 3; i++) {
        end = ends[i];
        if (report == MAP_FAILED || train(end->whole, NOTHING, 0) != 0 || report->result != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    munmap(report, sizeof *report);
    folder_remove(folder);
    return 0;
}

static void want_same(const char *out, const char *name, int place)
{
    size_t length_a, length_b;
    char *path_a = text_of("%s/%s/%s", folder, out, name),
         *path_b = text_of("%s/%s/%s", folder, end->whole, name);
    char *a = file_read(path_a, &length_a), *b = file_read(path_b, &length_b);
    if (length_a != length_b || memcmp(a, b, length_a) != 0)
        fail_msg("place %d: %s is not that of an undisturbed run", place, path_a);
    free(path_a);
    free(path_b);
    free(a);
    free(b);
}

/* The mishap at every `step`-th place (eleven times that without FORCE_ALL; under a sanitizer five
   times, and twenty where a kill leaves it nothing to see but how a run goes on), until a run no
   longer comes to it. */
static int everywhere(Mishap what, int step, const char *name)
{
    const char *all = getenv("FORCE_ALL");
    int place = 0, refused = 0;
    step *= all && *all ? 1 : !SANITIZED ? 11 : what < REFUSED ? 20 : 5;
    for (bool hit = true; hit; place += step) {
        char *out = text_of("run%d_%d", what, place), *path = text_of("%s/%s", folder, out);
        int status = train(out, what, place);
        hit = report->hit;
        assert_false(report->undone);
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
            fail_msg("%s at place %d: ended by signal %d", name, place, WTERMSIG(status));
        if (WIFEXITED(status) && report->result != 0) {
            refused++;
            if (report->result != -1 || (report->exit_code != 1 && report->exit_code != 3)
                || !report->text[0])
                fail_msg("%s at place %d: result %d, exit code %d, \"%s\"", name, place,
                         report->result, report->exit_code, report->text);
        }
        if (train(out, NOTHING, 0) != 0 || report->result != 0)
            fail_msg("%s at place %d: does not go on: %s", name, place, report->text);
        if (!end->inside)
            want_same(out, "last.safetensors", place);
        want_same(out, "best.safetensors", place);
        want_same(out, "loss.svg", place);
        want_same(out, "samples/epoch_002.png", place);
        folder_remove(path);
        free(out);
    }
    printf(
        "%s at each of %d places, %d of them told; every run came to its end with the bits of an "
        "undisturbed one\n",
        name, place / step - 1, refused);
    return refused;
}

static void killed_at_every_call(void **state)
{
    (void)state;
    everywhere(KILLED, 1, "killed");
}

/* Also between the last update and the end. */
static void killed_at_every_call_of_a_run_of_updates(void **state)
{
    (void)state;
    end = &eight_updates;
    everywhere(KILLED, 1, "killed in a run of 8 updates");
    end = &six_updates;
    everywhere(KILLED, 1, "killed in a run of 6 updates");
    end = &two_epochs;
}

/* The folder itself, its samples, and each file: a run that makes, moves aside and replaces. */
static void folders_are_synced(void **state)
{
    (void)state;
    char *last = text_of("%s/aside/deep/last.safetensors", folder),
         *kept = text_of("%s/aside/deep/kept", folder);
    char *moved = text_of("%s/aside/deep.1/kept", folder);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(train("aside/deep", NOTHING, 0), 0);
        assert_int_equal(report->result, 0);
        assert_false(report->undone);
        assert_true(report->named >= 10);
        assert_true(report->folders_synced >= report->named);
        assert_int_equal(rename(last, kept), 0); /* then the next is a new run */
    }
    assert_true(file_exists(moved));
    printf("%d names, each of their folders synced\n", report->named);
    free(last);
    free(kept);
    free(moved);
}

static void killed_in_every_write(void **state)
{
    (void)state;
    everywhere(KILLED_IN_A_WRITE, 5, "killed in a write");
}

static void every_call_refused(void **state)
{
    (void)state;
    assert_true(everywhere(REFUSED, 2, "a file refused") > 3);
}

static void no_memory_once(void **state)
{
    (void)state;
    assert_true(everywhere(NO_MEMORY, 29, "no memory once") > 3);
    counts_jansson = true;
    assert_true(everywhere(NO_MEMORY, 131, "no memory once, JSON's included,") > 3);
    counts_jansson = false;
}

static void no_memory_any_more(void **state)
{
    (void)state;
    assert_true(everywhere(NO_MEMORY_FROM_THERE_ON, 67, "no memory any more") > 3);
    counts_jansson = true;
    assert_true(everywhere(NO_MEMORY_FROM_THERE_ON, 149, "no memory any more, JSON's included,")
                > 3);
    counts_jansson = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_synced),
        cmocka_unit_test(killed_at_every_call_of_a_run_of_updates),
        cmocka_unit_test(killed_at_every_call),
        cmocka_unit_test(killed_in_every_write),
        cmocka_unit_test(every_call_refused),
        cmocka_unit_test(no_memory_once),
        cmocka_unit_test(no_memory_any_more),
    };
    return cmocka_run_group_tests_name("force places", tests, set_up, tear_down);
}
