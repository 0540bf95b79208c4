#define _XOPEN_SOURCE 700
#include "files.h"

#include "cases.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *folder_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path = text_of("%s/caec-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void folder_remove(char *folder)
{
    if (folder)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_read(const char *path, size_t *length)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot read %s", path);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    char *text = calloc(1, n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, n, f), n);
    fclose(f);
    if (length)
        *length = n;
    return text;
}

void file_write(const char *path, const char *text, size_t length)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        fail_msg("cannot write %s", path);
    assert_int_equal(fwrite(text, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static FileList *listing; /* nftw hands its function nothing of ours */
static size_t listing_prefix;

static int list_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (type != FTW_F)
        return 0;
    listing->path = realloc(listing->path, sizeof *listing->path * (size_t)(listing->count + 1));
    assert_non_null(listing->path);
    listing->path[listing->count++] = text_of("%s", path + listing_prefix);
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

FileList files_below(const char *folder)
{
    FileList list = { 0 };
    listing = &list;
    listing_prefix = strlen(folder) + 1;
    assert_int_equal(nftw(folder, list_one, 16, FTW_PHYS), 0);
    qsort(list.path, (size_t)list.count, sizeof *list.path, compare_paths);
    return list;
}

void file_list_free(FileList *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->path[i]);
    free(list->path);
    *list = (FileList){ 0 };
}

static void want_same_file(const char *a, const char *b, const char *path)
{
    char *path_a = text_of("%s/%s", a, path), *path_b = text_of("%s/%s", b, path);
    size_t length_a, length_b;
    char *text_a = file_read(path_a, &length_a), *text_b = file_read(path_b, &length_b);
    size_t i = 0;
    int line = 1;
    while (i < length_a && i < length_b && text_a[i] == text_b[i])
        line += text_a[i++] == '\n';
    if (i < length_a || i < length_b)
        fail_msg("%s and %s differ in line %d:\n%.100s\n%.100s", path_a, path_b, line, text_a + i,
                 text_b + i);
    free(path_a);
    free(path_b);
    free(text_a);
    free(text_b);
}

void want_same_files(const char *a, const char *b)
{
    FileList list_a = files_below(a), list_b = files_below(b);
    for (int i = 0; i < list_a.count || i < list_b.count; i++) {
        const char *in_a = i < list_a.count ? list_a.path[i] : "nothing",
                   *in_b = i < list_b.count ? list_b.path[i] : "nothing";
        if (strcmp(in_a, in_b) != 0)
            fail_msg("%s has %s where %s has %s", a, in_a, b, in_b);
        want_same_file(a, b, in_a);
    }
    assert_true(list_a.count > 0);
    file_list_free(&list_a);
    file_list_free(&list_b);
}
