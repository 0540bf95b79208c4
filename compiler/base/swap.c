#define _POSIX_C_SOURCE 200809L
#include "swap.h"

#include "arena.h"
#include "signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 1000, FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

typedef struct Short {
    char text[16];
} Short;

/* What the i-th file is called in the temporary folder: 'n' the new one, 'o' the old one. */
static Short short_name(char kind, int i)
{
    Short name;
    snprintf(name.text, sizeof name.text, "%c%d", kind, i);
    return name;
}

/* Closes the handle and leaves errno as it is. */
static void close_quietly(int handle)
{
    int reason = errno;
    if (handle >= 0)
        close(handle);
    errno = reason;
}

/* ---- folders ---- */

/* Makes missing ones where `swap` is no NULL. */
static int reach(int root, const char *name, const char **leaf, Swap *swap)
{
    int at = openat(root, ".", FOLDER);
    const char *part = name;
    for (const char *slash; at >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        const char *folder = arena_copy(part, (size_t)(slash - part));
        int next = openat(at, folder, FOLDER);
        if (next < 0 && errno == ENOENT && swap && mkdirat(at, folder, 0777) == 0) {
            swap->made[swap->made_count++] = arena_copy(name, (size_t)(slash - name));
            next = openat(at, folder, FOLDER);
        }
        close_quietly(at);
        at = next;
    }
    *leaf = part;
    return at;
}

int swap_folder_of(int root, const char *name, const char **leaf)
{
    return reach(root, name, leaf, NULL);
}

/* Some file systems refuse to sync a folder: then there is nothing more to be done. */
static bool sync_folder(int folder)
{
    return fsync(folder) == 0 || errno == EINVAL;
}

/* ---- the temporary folder ---- */

static bool is_short(const char *name)
{
    return (*name == 'n' || *name == 'o') && name[1]
           && strspn(name + 1, "0123456789") == strlen(name + 1);
}

/* Nothing in it goes but what swap_prepare and swap_do put there. */
static void sweep_one(int root, const char *name)
{
    int folder = openat(root, name, FOLDER);
    DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (is_short(entry->d_name))
            unlinkat(folder, entry->d_name, 0);
    if (list)
        closedir(list);
    unlinkat(root, name, AT_REMOVEDIR);
}

/* The same names as formats/whole_file.c gives. */
static bool is_left_over(const char *name, bool alone)
{
    long pid;
    int number, end = 0;
    return sscanf(name, ".caec-%ld-%d.tmp%n", &pid, &number, &end) == 2 && end > 0 && !name[end]
           && pid > 0
           && (alone || pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

void swap_sweep(int root, bool alone)
{
    int folder = openat(root, ".", FOLDER);
    DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (is_left_over(entry->d_name, alone))
            sweep_one(root, entry->d_name);
    if (list)
        closedir(list);
}

static bool make_temporary(Swap *swap)
{
    bool made = false;
    for (int i = 0; !made && i < TRIES; i++) {
        snprintf(swap->temporary_name, sizeof swap->temporary_name, ".caec-%ld-%d.tmp",
                 (long)getpid(), i);
        made = mkdirat(swap->root, swap->temporary_name, 0700) == 0;
        if (!made && errno != EEXIST)
            break;
    }
    swap->temporary = made ? openat(swap->root, swap->temporary_name, FOLDER) : -1;
    if (made && swap->temporary < 0) {
        int reason = errno;
        unlinkat(swap->root, swap->temporary_name, AT_REMOVEDIR);
        errno = reason;
    }
    return swap->temporary >= 0;
}

static bool write_bytes(int file, const char *bytes, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t n = write(file, bytes + done, count - done);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_new(Swap *swap, int i)
{
    int file = openat(swap->temporary, short_name('n', i).text,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    const Text *text = swap->moves[i].text;
    bool written = file >= 0 && write_bytes(file, text->data, text->length) && fsync(file) == 0;
    if (written)
        return close(file) == 0;
    close_quietly(file);
    return false;
}

bool swap_prepare(Swap *swap)
{
    swap->temporary = -1;
    swap->failed = ".";
    if (!make_temporary(swap))
        return false;
    for (int i = 0; i < swap->count; i++) {
        swap->failed = swap->moves[i].name;
        if (signals_waiting()) {
            errno = EINTR;
            return false;
        }
        if (swap->moves[i].text && !write_new(swap, i))
            return false;
    }
    return true;
}

/* ---- the exchange ---- */

static bool copy_all(int from, int to)
{
    static char buffer[1 << 16];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && !write_bytes(to, buffer, (size_t)n))
            return false;
    }
}

/* A plain file's bytes and permissions. */
static bool copy_aside(Swap *swap, int folder, const char *leaf, const char *old)
{
    struct stat status;
    int from = openat(folder, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
        to = -1;
    if (from >= 0 && fstat(from, &status) == 0 && S_ISREG(status.st_mode))
        to = openat(swap->temporary, old, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool copied = to >= 0 && copy_all(from, to);
    if (copied) /* its permissions are a courtesy */
        (void)!fchmod(to, status.st_mode & 07777);
    copied = copied && close(to) == 0;
    if (!copied)
        close_quietly(to);
    close_quietly(from);
    return copied;
}

/* Gives what stands there a second name in the temporary folder, or a copy if the file system has
 * no links, so that its own name is never missing; what is no plain file is moved there then. */
static bool set_aside(Swap *swap, int i, int folder, const char *leaf)
{
    Short old = short_name('o', i);
    Move *move = &swap->moves[i];
    bool stays = linkat(folder, leaf, swap->temporary, old.text, 0) == 0;
    if (!stays && errno == ENOENT)
        return true;
    if (!stays && move->text) {
        stays = copy_aside(swap, folder, leaf, old.text);
        if (!stays)
            unlinkat(swap->temporary, old.text, 0);
    }
    move->set_aside = stays || renameat(folder, leaf, swap->temporary, old.text) == 0;
    return move->set_aside && (move->text || !stays || unlinkat(folder, leaf, 0) == 0);
}

static bool do_one(Swap *swap, int i)
{
    const char *leaf;
    Move *move = &swap->moves[i];
    int folder = reach(swap->root, move->name, &leaf, move->text ? swap : NULL);
    if (folder < 0)
        return !move->text && errno == ENOENT;
    bool done = set_aside(swap, i, folder, leaf);
    if (done && move->text)
        done = move->placed = renameat(swap->temporary, short_name('n', i).text, folder, leaf) == 0;
    close_quietly(folder);
    return done;
}

/* The folder of a file, where the file before is in another. */
static bool sync_one(Swap *swap, int i, int first)
{
    const char *leaf, *name = swap->moves[i].name,
                      *before = i > first ? swap->moves[i - 1].name : NULL;
    size_t length = strrchr(name, '/') ? (size_t)(strrchr(name, '/') - name) + 1 : 0;
    if (before && strncmp(before, name, length) == 0 && !strchr(before + length, '/'))
        return true;
    int folder = swap_folder_of(swap->root, name, &leaf);
    if (folder < 0)
        return errno == ENOENT;
    bool done = sync_folder(folder);
    close_quietly(folder);
    return done;
}

bool swap_do(Swap *swap, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        swap->failed = swap->moves[i].name;
        if (!do_one(swap, i))
            return false;
    }
    for (int i = first; i < first + count; i++) {
        swap->failed = swap->moves[i].name;
        if (!sync_one(swap, i, first))
            return false;
    }
    return true;
}

void swap_remove_empty(int root, const char *name)
{
    for (const char *slash; (slash = strrchr(name, '/')) != NULL;) {
        const char *leaf;
        name = arena_copy(name, (size_t)(slash - name));
        int above = swap_folder_of(root, name, &leaf);
        if (above < 0) /* what fails once may not fail twice */
            above = swap_folder_of(root, name, &leaf);
        for (int tries = above < 0 ? 0 : 2; tries > 0 && unlinkat(above, leaf, AT_REMOVEDIR) != 0;)
            tries = errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT ? 0 : tries - 1;
        close_quietly(above);
    }
}

/* rename() does nothing where both names are the same file's: then the one that is aside goes at
 * the end. */
static bool undo_one(Swap *swap, int i)
{
    const char *leaf;
    Move *move = &swap->moves[i];
    if (!move->set_aside && !move->placed)
        return true;
    int folder = reach(swap->root, move->name, &leaf, swap);
    bool done = folder >= 0
                && (move->set_aside
                        ? renameat(swap->temporary, short_name('o', i).text, folder, leaf) == 0
                        : unlinkat(folder, leaf, 0) == 0);
    close_quietly(folder);
    if (done)
        move->set_aside = move->placed = false;
    return done;
}

bool swap_undo(Swap *swap)
{
    bool done = true;
    for (int i = swap->count - 1; i > 0; i--)
        done = undo_one(swap, i) && done;
    done = done && (swap->count == 0 || undo_one(swap, 0));
    while (swap->made_count > 0)
        unlinkat(swap->root, swap->made[--swap->made_count], AT_REMOVEDIR);
    return done;
}

/* ---- the end ---- */

static bool gone(int folder, const char *name, int flags)
{
    return unlinkat(folder, name, flags) == 0 || errno == ENOENT;
}

/* What could not be put back stays. */
static bool remove_temporary(Swap *swap, bool committed)
{
    bool done = true;
    for (int i = 0; i < swap->count; i++) {
        done = gone(swap->temporary, short_name('n', i).text, 0) && done;
        if (committed || !swap->moves[i].set_aside)
            done = gone(swap->temporary, short_name('o', i).text, 0) && done;
    }
    return gone(swap->root, swap->temporary_name, AT_REMOVEDIR) && done;
}

bool swap_end(Swap *swap, bool committed)
{
    if (swap->temporary < 0)
        return true;
    bool done = false;
    for (int tries = 2; !done && tries > 0; tries--) /* what fails once may not fail twice */
        done = remove_temporary(swap, committed);
    close_quietly(swap->temporary);
    swap->temporary = -1;
    return done;
}
