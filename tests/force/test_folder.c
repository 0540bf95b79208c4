/* The folder that caec writes to, written in a process of its own that is disturbed at each of its
   calls of the system in turn: refused once or from there on, killed before it or in the middle of
   a write, asked to end by SIGTERM. Where the process could still do something the folder is as it
   was or as it was to be, nothing temporary in it; where it was killed, the next run makes it so.
   Files of others stay. Environment: FORCE_ALL, not empty: every call, not every third. */
#define _GNU_SOURCE /* nftw, MAP_ANONYMOUS */
#include "cases.h"
#include "files.h"

#include "base/folder.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum Mishap {
    NOTHING,
    REFUSED,
    REFUSED_FROM_THERE_ON,
    KILLED,
    KILLED_IN_A_WRITE,
    ASKED_TO_END
} Mishap;

static Mishap mishap;
static int countdown; /* of the calls; the mishap is at 0 */
static bool no_links; /* on this file system */
static int *hit;      /* shared with the children: whether it came */

/* Whether the call is refused. */
static bool disturbed(int reason)
{
    int left = mishap == KILLED_IN_A_WRITE ? 1 : countdown--;
    if (mishap == NOTHING || left > 0 || (left < 0 && mishap != REFUSED_FROM_THERE_ON))
        return false;
    *hit = 1;
    if (mishap == KILLED)
        raise(SIGKILL);
    if (mishap == ASKED_TO_END)
        raise(SIGTERM);
    errno = reason;
    return mishap == REFUSED || mishap == REFUSED_FROM_THERE_ON;
}

/* ---- in the place of the C library's (the linker's --wrap) ---- */

int __real_open(const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int folder, const char *path, mode_t mode);
int __real_linkat(int from, const char *old, int to, const char *new, int flags);
int __real_renameat(int from, const char *old, int to, const char *new);
int __real_unlinkat(int folder, const char *path, int flags);
int __real_fstatat(int folder, const char *path, struct stat *status, int flags);
int __real_flock(int file, int what);
int __real_close(int file);
ssize_t __real_read(int file, void *bytes, size_t n);
ssize_t __real_write(int file, const void *bytes, size_t n);

int __wrap_open(const char *path, int flags, ...)
{
    return disturbed(EMFILE) ? -1 : __real_open(path, flags, 0666);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    return disturbed(EMFILE) ? -1 : __real_openat(folder, path, flags, 0666);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return disturbed(ENOSPC) ? -1 : __real_mkdir(path, mode);
}

int __wrap_mkdirat(int folder, const char *path, mode_t mode)
{
    return disturbed(ENOSPC) ? -1 : __real_mkdirat(folder, path, mode);
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
    if (!no_links)
        return disturbed(EPERM) ? -1 : __real_linkat(from, old, to, new, flags);
    struct stat status;
    errno = __real_fstatat(from, old, &status, AT_SYMLINK_NOFOLLOW) == 0 ? EPERM : ENOENT;
    return -1;
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    return disturbed(EACCES) ? -1 : __real_renameat(from, old, to, new);
}

int __wrap_unlinkat(int folder, const char *path, int flags)
{
    return disturbed(EROFS) ? -1 : __real_unlinkat(folder, path, flags);
}

int __wrap_fstatat(int folder, const char *path, struct stat *status, int flags)
{
    return disturbed(EIO) ? -1 : __real_fstatat(folder, path, status, flags);
}

int __wrap_flock(int file, int what)
{
    return disturbed(ENOLCK) ? -1 : __real_flock(file, what);
}

int __wrap_close(int file)
{
    bool refused = disturbed(EIO);
    return __real_close(file) != 0 || refused ? -1 : 0;
}

ssize_t __wrap_read(int file, void *bytes, size_t n)
{
    return disturbed(EIO) ? -1 : __real_read(file, bytes, n);
}

ssize_t __wrap_write(int file, const void *bytes, size_t n)
{
    if (mishap == KILLED_IN_A_WRITE && countdown-- == 0) {
        *hit = 1;
        if (__real_write(file, bytes, n / 2) >= 0)
            raise(SIGKILL);
    }
    return mishap != KILLED_IN_A_WRITE && disturbed(ENOSPC) ? -1 : __real_write(file, bytes, n);
}

/* Nobody cuts the power here. */
int __wrap_fsync(int file)
{
    (void)file;
    return disturbed(EIO) ? -1 : 0;
}

/* ---- two states of a folder ---- */

#define TEXT(text)                          \
    {                                       \
        (char *)(text), sizeof(text) - 1, 0 \
    }
static const SavedText old_files[] = {
    { "README.md", TEXT("old words") },
    { "same.c", TEXT("the same") },
    { "gone.c", TEXT("soon gone") },
    { "sub/c.c", TEXT("old") },
    { "sub/left/d.c", TEXT("the last of its folder") },
    { "empty.c", TEXT("not empty") },
};
static const SavedText new_files[] = {
    { "README.md", TEXT("new words, and more") },
    { "same.c", TEXT("the same") },
    { "sub/c.c", TEXT("new") },
    { "sub/fresh/e.c", TEXT("in a new folder") },
    { "f.c", TEXT("a new file") },
    { "empty.c", TEXT("") },
};
enum { FILES = sizeof old_files / sizeof old_files[0] };

typedef enum State {
    ABSENT,
    OLD,
    NEW,
    NEW_ALONE,
    STATES
} State; /* NEW_ALONE: where there was no folder */

static char *folder;
static char *pictures[STATES]; /* of each state, as picture() gives them */

static char *drawn; /* of picture() */
static size_t drawn_from;

static int draw_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)walk;
    (void)status;
    char *content = type == FTW_F ? file_read(path, NULL) : NULL;
    char *longer = text_of("%s%s: %s\n", drawn, path + drawn_from, content ? content : "a folder");
    free(content);
    free(drawn);
    drawn = longer;
    return 0;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that is in folder/out, with its content, in one text; to be freed. "" where it is not there.
 */
static char *picture(void)
{
    enum { MOST = 100 };
    char *out = text_of("%s/out", folder), *lines[MOST], *sorted = text_of("%s", "");
    int count = 0;
    drawn = text_of("%s", "");
    drawn_from = strlen(out);
    if (file_exists(out))
        assert_int_equal(nftw(out, draw_one, 16, FTW_PHYS), 0);
    for (char *line = strtok(drawn, "\n"); line && count < MOST; line = strtok(NULL, "\n"))
        lines[count++] = line;
    qsort(lines, (size_t)count, sizeof *lines, compare_lines);
    for (int i = 0; i < count; i++) {
        char *longer = text_of("%s%s\n", sorted, lines[i]);
        free(sorted);
        sorted = longer;
    }
    free(drawn);
    free(out);
    return sorted;
}

static bool shows(State state)
{
    char *now = picture();
    bool same = strcmp(now, pictures[state]) == 0;
    free(now);
    return same;
}

static void remove_out(void)
{
    folder_remove(text_of("%s/out", folder));
}

static void save(State state)
{
    char *parent = text_of("%s/out/deep", folder);
    folder_save(parent, "net", state == OLD ? old_files : new_files, FILES, false);
    free(parent);
}

/* The state, and two files of somebody else where there is a folder. */
static void set(State state)
{
    static const char *const others[] = { "mine.txt", "sub/mine.c" };
    remove_out();
    if (state == ABSENT)
        return;
    save(state);
    if (state == NEW_ALONE)
        return;
    for (int i = 0; i < 2; i++) {
        char *path = text_of("%s/out/deep/net/%s", folder, others[i]);
        file_write(path, others[i], strlen(others[i]));
        free(path);
    }
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    hit = mmap(NULL, sizeof *hit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (State s = ABSENT; s < STATES; s++) {
        set(s);
        pictures[s] = picture();
    }
    return hit == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    munmap(hit, sizeof *hit);
    for (int i = 0; i < STATES; i++)
        free(pictures[i]);
    folder_remove(folder);
    return 0;
}

/* ---- disturbed ---- */

/* Saves the new state in a child that meets the mishap at that call; what it says goes to
 * folder/said. Returns how it ended, as waitpid tells it. */
static int save_disturbed(Mishap what, int call)
{
    int status;
    char *said = text_of("%s/said", folder);
    *hit = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen(said, "w", stderr))
            _exit(99);
        signals_catch();
        countdown = call;
        mishap = what;
        save(NEW);
        mishap = NOTHING;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    free(said);
    return status;
}

static char *said(void)
{
    char *path = text_of("%s/said", folder), *text = file_read(path, NULL);
    free(path);
    return text;
}

static void want_one_of(State a, State b, int call, const char *when)
{
    if (shows(a) || shows(b))
        return;
    char *now = picture(), *words = said();
    fail_msg("call %d, %s: neither old nor new:\n%s%s", call, when, now, words);
}

/* What the child left where it could still do something. */
static void check_end(int status, Mishap what, State before, State after, int call)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    char *words = said(), *line_end = strchr(words, '\n');
    if (code != 0 && code != (what == ASKED_TO_END ? 128 + SIGTERM : 3))
        fail_msg("call %d: exit code %d, %s", call, code, words);
    if (code == 3 && (strncmp(words, "caec: error: ", 13) != 0 || !line_end || line_end[1]))
        fail_msg("call %d: says %s", call, words);
    if (what != REFUSED_FROM_THERE_ON)
        want_one_of(code == 0 ? after : before, after, call, "at its end");
    free(words);
}

/* The mishap at every call until a run no longer comes to one. */
static void everywhere(Mishap what, State before, const char *name)
{
    const State after = before == ABSENT ? NEW_ALONE : NEW;
    const char *all = getenv("FORCE_ALL");
    int step = (all && *all) || what == KILLED_IN_A_WRITE ? 1 : 3, call = 0, changed = 0;
    for (bool came = true; came; call += step) {
        set(before);
        int status = save_disturbed(what, call);
        came = *hit;
        if (WIFEXITED(status))
            check_end(status, what, before, after, call);
        else
            assert_int_equal(WTERMSIG(status), SIGKILL);
        changed += !shows(before);
        bool forward =
            call % 2 == 0
            || before == ABSENT; /* the next run sets it right, whichever of the two it writes */
        save(forward ? NEW : OLD);
        want_one_of(forward ? after : OLD, forward ? after : OLD, call, "after the next run");
    }
    printf("%s at each of %d calls\n", name, call / step - 1);
    assert_true(call > (what == KILLED_IN_A_WRITE ? 5 : 60) && changed > 0);
}

static void refused_once(void **state)
{
    (void)state;
    everywhere(REFUSED, OLD, "refused once");
    everywhere(REFUSED, ABSENT, "refused once in a new folder");
}

static void refused_from_there_on(void **state)
{
    (void)state;
    everywhere(REFUSED_FROM_THERE_ON, OLD, "refused from there on");
    everywhere(REFUSED_FROM_THERE_ON, ABSENT, "refused from there on in a new folder");
}

static void killed(void **state)
{
    (void)state;
    everywhere(KILLED, OLD, "killed");
    everywhere(KILLED, ABSENT, "killed in a new folder");
    everywhere(KILLED_IN_A_WRITE, OLD, "killed in a write");
}

static void killed_without_links(void **state)
{
    (void)state;
    no_links = true;
    everywhere(REFUSED, OLD, "refused once, without links,");
    everywhere(KILLED, OLD, "killed, without links,");
    no_links = false;
}

static void asked_to_end(void **state)
{
    (void)state;
    everywhere(ASKED_TO_END, OLD, "asked to end");
    everywhere(ASKED_TO_END, ABSENT, "asked to end in a new folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_once), cmocka_unit_test(refused_from_there_on),
        cmocka_unit_test(killed),       cmocka_unit_test(killed_without_links),
        cmocka_unit_test(asked_to_end),
    };
    return cmocka_run_group_tests_name("force folder", tests, set_up, tear_down);
}
