#define _DEFAULT_SOURCE /* flock */
#include "folder.h"

#include "../../runtime/formats/checksum.h"
#include "../../runtime/formats/whole_file.h"
#include "arena.h"
#include "files.h"
#include "diag.h"
#include "manifest.h"
#include "signals.h"
#include "swap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAMED = 5,
    LOCK_SECONDS = 60,
    OPEN_TRIES = 100,
    LOCK_TRIES_A_SECOND = 50,
    MANIFEST_LIMIT = 64 << 20,
    PIECE = 1 << 16
};

typedef struct Save {
    const char *path;  /* of the folder */
    const char **made; /* folders that were made for it */
    const SavedText *files;
    int count;
    bool force, locked;
    Manifest old, new;
    Text refused; /* names of files that are not ours, the first few */
    int refused_count;
    Swap swap;
} Save;

/* ---- how it ends where it cannot be done ---- */

/* Everything as it was. */
static void take_back(Save *s)
{
    bool undone = swap_undo(&s->swap);
    swap_end(&s->swap, false);
    close(s->swap.root);
    int count = 0;
    while (s->made[count])
        count++;
    while (count > 0)
        rmdir(s->made[--count]);
    if (!undone)
        fail_with(EXIT_FILE,
                  "%s: a file could neither be replaced nor put back: some are new, some are not; "
                  "run caec again",
                  s->path);
}

static _Noreturn void give_up(Save *s, const char *what, const char *name)
{
    int reason = errno;
    take_back(s);
    signals_release(); /* the program ends here by one that waits */
    fail_with(EXIT_FILE, "cannot %s %s/%s: %s; nothing was written", what, s->path, name,
              strerror(reason));
}

static void refuse(Save *s, const char *name)
{
    if (s->refused_count++ < NAMED)
        text_add(&s->refused, "%s%s", s->refused_count > 1 ? ", " : "", name);
}

static void check_refused(Save *s)
{
    if (s->refused_count == 0)
        return;
    if (s->refused_count > NAMED)
        text_add(&s->refused, " and %d more", s->refused_count - NAMED);
    take_back(s);
    fail_with(EXIT_FILE,
              "%s holds files that caec did not write or that were changed since: %s; nothing was "
              "written. Move them away%s give another folder "
              "with -o%s",
              s->path, s->refused.data, s->force ? " or" : ",",
              s->force ? "; --force replaces no folder and no link to one"
                       : ", or have them replaced with --force");
}

/* ---- the folder ---- */

static bool lock(Save *s)
{
    const struct timespec pause = { .tv_nsec = 1000000000 / LOCK_TRIES_A_SECOND };
    for (int i = 0; i < LOCK_SECONDS * LOCK_TRIES_A_SECOND; i++) {
        if (flock(s->swap.root, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK) /* no such thing on this file system */
            return false;
        if (signals_waiting())
            give_up(s, "write", MANIFEST_FILE);
        nanosleep(&pause, NULL);
    }
    take_back(s);
    fail_with(EXIT_FILE,
              "%s: another caec has been at work in this folder for %d s; nothing was written",
              s->path, LOCK_SECONDS);
}

/* Whether the folder is still the one of its name: whoever had it may have taken it back. */
static bool is_there(const Save *s)
{
    struct stat ours, there;
    return fstat(s->swap.root, &ours) == 0 && lstat(s->path, &there) == 0
           && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static _Noreturn void fail_to_open(Save *s)
{
    int reason = errno;
    struct stat status;
    bool is_link = lstat(s->path, &status) == 0 && S_ISLNK(status.st_mode);
    take_back(s);
    if (is_link)
        fail_with(EXIT_FILE,
                  "%s is a symbolic link, through which caec does not write; remove it, or give "
                  "another folder with -o",
                  s->path);
    fail_with(EXIT_FILE, "cannot open the folder %s: %s", s->path, strerror(reason));
}

static void open_folder(Save *s)
{
    for (int tries = OPEN_TRIES;; tries--) { /* another caec may take back a folder that it made */
        s->made = files_make_folders(arena_format("%s/", s->path));
        s->swap.root = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (s->swap.root < 0 && errno == ENOENT && tries > 0)
            continue;
        if (s->swap.root < 0)
            fail_to_open(s);
        s->locked = lock(s);
        if (is_there(s))
            return;
        errno = EAGAIN;
        if (tries <= 0 || signals_waiting())
            give_up(s, "write", MANIFEST_FILE);
        close(s->swap.root);
    }
}

/* ---- what is there ---- */

typedef enum Found { NOTHING, PLAIN_FILE, FOLDER, SOMETHING_ELSE } Found;

static Found find(Save *s, const char *name, struct stat *status)
{
    const char *leaf;
    int folder = swap_folder_of(s->swap.root, name, &leaf);
    bool found = folder >= 0 && fstatat(folder, leaf, status, AT_SYMLINK_NOFOLLOW) == 0;
    int reason = errno;
    if (folder >= 0)
        close(folder);
    errno = reason;
    if (!found && folder < 0 && (errno == ELOOP || errno == ENOTDIR))
        return FOLDER; /* or something on the way to it that is none of ours */
    if (!found && errno != ENOENT)
        give_up(s, "read", name);
    return !found                     ? NOTHING
           : S_ISREG(status->st_mode) ? PLAIN_FILE
           : S_ISDIR(status->st_mode) ? FOLDER
                                      : SOMETHING_ELSE;
}

/* A handle that no pipe makes wait. */
static int open_file(Save *s, const char *name)
{
    const char *leaf;
    int folder = swap_folder_of(s->swap.root, name, &leaf);
    int file = folder >= 0
                   ? openat(folder, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                   : -1;
    int reason = errno;
    if (folder >= 0)
        close(folder);
    errno = reason;
    if (file < 0)
        give_up(s, "read", name);
    return file;
}

static size_t read_some(Save *s, const char *name, int file, char *buffer, size_t size)
{
    ssize_t n;
    do
        n = read(file, buffer, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        give_up(s, "read", name);
    return (size_t)n;
}

/* The fingerprint of its bytes; *same: whether they are those of the text. */
static const char *fingerprint(Save *s, const char *name, const Text *text, bool *same)
{
    static char buffer[PIECE];
    char digits[CHECKSUM_DIGITS + 1];
    uint64_t hash = CHECKSUM_START;
    size_t length = 0, n;
    int file = open_file(s, name);
    *same = text != NULL;
    for (; (n = read_some(s, name, file, buffer, sizeof buffer)) > 0; length += n) {
        hash = checksum_bytes(hash, buffer, n);
        *same = *same && length + n <= text->length && memcmp(buffer, text->data + length, n) == 0;
    }
    close(file);
    *same = *same && length == text->length;
    checksum_text(hash, digits);
    return arena_copy(digits, CHECKSUM_DIGITS);
}

static Text read_text(Save *s, const char *name)
{
    static char buffer[PIECE];
    Text text = { 0 };
    int file = open_file(s, name);
    for (size_t n; text.length <= MANIFEST_LIMIT
                   && (n = read_some(s, name, file, buffer, sizeof buffer)) > 0;)
        text_append(&text, buffer, n);
    close(file);
    return text;
}

static void read_manifest(Save *s)
{
    struct stat status;
    Found found = find(s, MANIFEST_FILE, &status);
    Text text = { 0 };
    if (found == PLAIN_FILE)
        text = read_text(s, MANIFEST_FILE);
    if (found == NOTHING || manifest_read(&s->old, &text))
        return;
    s->old = (Manifest){ 0 };
    if (!s->force || found == FOLDER)
        refuse(s, MANIFEST_FILE);
}

/* ---- what is to be done ---- */

static void add_move(Save *s, const char *name, const Text *text)
{
    s->swap.moves[s->swap.count++] = (Move){ .name = name, .text = text };
}

/* Looks at what is there in the place of the text, or of a file that is to go (NULL). It is read
   only where it can be ours or the text: where the manifest names it or its length is right. */
static void look_at(Save *s, const char *name, const Text *text)
{
    struct stat status;
    bool same = false;
    Found found = find(s, name, &status);
    bool listed = manifest_names(&s->old, name), plain = found == PLAIN_FILE;
    const char *hash = "";
    if (plain && (listed || (text && (size_t)status.st_size == text->length)))
        hash = fingerprint(s, name, text, &same);
    if (same || (!text && (found == NOTHING || found == FOLDER)))
        return;
    if (found == NOTHING || (plain && manifest_lists(&s->old, name, hash))
        || (s->force && found != FOLDER))
        add_move(s, name, text);
    else
        refuse(s, name);
}

static void list_new(Save *s)
{
    s->new.lines = ARENA_ARRAY(ManifestLine, s->count + 1);
    for (int i = 0; i < s->count; i++)
        s->new.lines[s->new.count++] = (ManifestLine){ s->files[i].name,
                                                       text_fingerprint(&s->files[i].text) };
}

static size_t count_slashes(const char *name)
{
    size_t count = 0;
    for (; *name; name++)
        count += *name == '/';
    return count;
}

/* Room for every move and every folder that one may make. */
static void make_room(Save *s)
{
    size_t slashes = 0;
    for (int i = 0; i < s->count; i++)
        slashes += count_slashes(s->files[i].name);
    for (int i = 0; i < s->old.count; i++)
        slashes += count_slashes(s->old.lines[i].name);
    s->swap.made = ARENA_ARRAY(const char *, 2 * slashes + 1);
    s->swap.moves = ARENA_ARRAY(Move, s->count + s->old.count + 2);
}

/* Of what is there and what is to come. */
static Manifest both(const Save *s)
{
    Manifest m = { ARENA_ARRAY(ManifestLine, s->old.count + s->new.count + 1),
                   s->old.count + s->new.count };
    for (int i = 0; i < s->old.count; i++)
        m.lines[i] = s->old.lines[i];
    for (int i = 0; i < s->new.count; i++)
        m.lines[s->old.count + i] = s->new.lines[i];
    return m;
}

/* Whether the line of the old manifest is the first of a file that is written no longer. */
static bool is_stale(const Save *s, int line)
{
    const char *name = s->old.lines[line].name;
    return !manifest_names(&s->new, name)
           && (line == 0 || strcmp(s->old.lines[line - 1].name, name) != 0);
}

/* The manifest of both comes first, the new one last: in between, all that is there is listed. */
static void plan_moves(Save *s, Text *interim, Text *final)
{
    list_new(s);
    make_room(s);
    Manifest m = both(s);
    *interim = manifest_text(&m);
    *final = manifest_text(&s->new);
    add_move(s, MANIFEST_FILE, interim);
    for (int i = 0; i < s->count; i++)
        look_at(s, s->files[i].name, &s->files[i].text);
    for (int i = 0; i < s->old.count; i++)
        if (is_stale(s, i))
            look_at(s, s->old.lines[i].name, NULL);
    if (s->swap.count > 1)
        add_move(s, MANIFEST_FILE, final);
    else
        s->swap.moves[0].text = final;
}

static bool manifest_stands(Save *s, const Text *text)
{
    struct stat status;
    bool same = false;
    if (find(s, MANIFEST_FILE, &status) == PLAIN_FILE)
        fingerprint(s, MANIFEST_FILE, text, &same);
    return same;
}

static void sync_made(Save *s)
{
    for (int i = 0; s->made[i]; i++)
        if (whole_file_sync_folder_of(s->made[i]) != 0)
            give_up(s, "write", "");
}

static bool do_moves(Save *s)
{
    Swap *swap = &s->swap;
    if (swap->count > 1 && !(swap_do(swap, 0, 1) && swap_do(swap, 1, swap->count - 2)))
        return false;
    for (int i = 0; i < s->old.count; i++)
        if (is_stale(s, i))
            swap_remove_empty(swap->root, s->old.lines[i].name);
    return swap_do(swap, swap->count - 1, 1);
}

static void move_all(Save *s)
{
    if (!swap_prepare(&s->swap) || !do_moves(s))
        give_up(s, "write", s->swap.failed);
    if (!swap_end(&s->swap, true))
        fail_with(EXIT_FILE, "%s is written, but %s in it could not be removed: %s", s->path,
                  s->swap.temporary_name, strerror(errno));
}

void folder_save(const char *parent, const char *name, const SavedText *files, int count,
                 bool force)
{
    Save s = { .path = arena_format("%s/%s", parent, name),
               .files = files,
               .count = count,
               .force = force,
               .swap = { .root = -1, .temporary = -1 } };
    Text interim, final;
    signals_hold();
    open_folder(&s);
    swap_sweep(s.swap.root, s.locked);
    read_manifest(&s);
    plan_moves(&s, &interim, &final);
    check_refused(&s);
    sync_made(&s);
    if (s.swap.count > 1 || !manifest_stands(&s, &final))
        move_all(&s);
    close(s.swap.root);
    signals_release();
}
