/* CONTRIBUTING.md says which files a change of each kind touches, and shows a commit that does it:
   the files are there, the commits are of this history, and each touches nothing else. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The history's first commit: without it the history was cut, and later ones may be missing too. */
#define FIRST "3638f825f5747afc7bbd5656ad9adf9d36724391"

static const char shows[] = "\n    git show ";

static char *document;

static int set_up(void **state)
{
    (void)state;
    char *path = text_of("%s/CONTRIBUTING.md", project_folder());
    document = file_read(path, NULL);
    free(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(document);
    return 0;
}

/* ---- the paths that a text names ---- */

/* The next word `between backticks` before `end`, from *at on, that is a path; NULL after the last.
   To be freed. */
static char *next_path(const char **at, const char *end)
{
    for (const char *open; (open = strchr(*at, '`')) && open < end;) {
        const char *close = strchr(open + 1, '`');
        assert_non_null(close);
        *at = close + 1;
        char *word = text_of("%.*s", (int)(close - open - 1), open + 1);
        if (!strpbrk(word, " \n") && strpbrk(word, "/.") && word[0] != '-')
            return word;
        free(word);
    }
    return NULL;
}

/* Where a capital word that stands for a name begins; NULL: the path has none. */
static const char *stand_in(const char *path)
{
    const char *family = strstr(path, "FAMILY"), *name = strstr(path, "NAME");
    return family ? family : name;
}

/* Whether a file is the path that is named: a folder stands for all in it, a capital word for a
   name. */
static bool is_named(const char *file, const char *path)
{
    const char *word = stand_in(path);
    size_t same = word ? (size_t)(word - path) : strlen(path);
    if (strncmp(file, path, same) != 0)
        return false;
    file += same;
    if (!word)
        return *file == 0 || (same > 0 && path[same - 1] == '/');
    size_t name = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name > 0 && is_named(file + name, word + strspn(word, "FAMILYNAME"));
}

/* Of a name that is still to be given, the folder. */
static void paths_are_there(void **state)
{
    (void)state;
    const char *at = document, *end = document + strlen(document);
    int missing = 0, paths = 0;
    for (char *path; (path = next_path(&at, end)); free(path), paths++) {
        const char *last = stand_in(path);
        while (last && last > path && *last != '/')
            last--;
        char *place = text_of("%s/%.*s", project_folder(),
                              last ? (int)(last - path) : (int)strlen(path), path);
        if (!file_exists(place)) {
            print_message("CONTRIBUTING.md names %s, which is not there\n", path);
            missing++;
        }
        free(place);
    }
    assert_true(paths > 40);
    assert_int_equal(missing, 0);
}

/* ---- the commits that it shows ---- */

static Result __attribute__((format(printf, 1, 0))) shell(const char *format, const char *word)
{
    char *script = text_of(format, word);
    Result result = run_words(project_folder(), (const char *const[]){ "sh", "-c", script, NULL });
    free(script);
    return result;
}

/* No git, no .git, one that holds more than this project, or a history that was cut: nothing to
   ask. */
static bool has_history(void)
{
    Result result = shell("test -z \"$(git rev-parse --show-prefix)\" && "
                          "test \"$(git rev-parse --is-shallow-repository)\" = false && "
                          "git merge-base --is-ancestor %s HEAD",
                          FIRST);
    bool has = result.exit_code == 0;
    result_free(&result);
    return has;
}

/* Whether the part of the document that shows a commit names this file. */
static bool part_names(const char *commit, const char *file)
{
    const char *end = strstr(commit, "\n##"), *at = commit;
    if (!end)
        end = commit + strlen(commit);
    bool named = false;
    for (char *path; !named && (path = next_path(&at, end)); free(path))
        named = is_named(file, path);
    return named;
}

/* Says what is wrong with the commit that is shown here; how many things are. */
static int check_commit(const char *hash, int length, const char *subject)
{
    char *name = text_of("%.*s", length, hash);
    Result ours = shell("commit=%s; git merge-base --is-ancestor $commit HEAD && "
                        "git log -1 --format=%%s $commit",
                        name);
    Result files = shell("git show --format= --name-only --no-renames %s", name);
    int wrong = 0, count = 0;

    if (ours.exit_code != 0) {
        print_message("%s is no commit of this history\n", name);
        wrong++;
    } else if (strncmp(subject, ours.out, strlen(ours.out)) != 0) {
        print_message("%s is called: %s", name, ours.out);
        wrong++;
    }
    for (char *file = files.out, *end; wrong == 0 && (end = strchr(file, '\n')); file = end + 1) {
        *end = 0;
        count++;
        if (!part_names(hash, file)) {
            print_message("%s touches %s, which its part does not name\n", name, file);
            wrong++;
        }
    }
    result_free(&ours);
    result_free(&files);
    free(name);
    return wrong + (wrong == 0 && count < 3);
}

static void commits_touch_what_is_named(void **state)
{
    (void)state;
    if (!has_history()) {
        print_message("no whole git history here\n");
        skip();
    }
    int commits = 0, wrong = 0;
    for (const char *at = document; (at = strstr(at, shows)); commits++) {
        at += strlen(shows);
        int length = (int)strcspn(at, " \n");
        const char *subject = at + length + strspn(at + length, " #");
        wrong += check_commit(at, length, subject);
    }
    assert_int_equal(commits, 7);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_there),
        cmocka_unit_test(commits_touch_what_is_named),
    };
    return cmocka_run_group_tests_name("contributing", tests, set_up, tear_down);
}
