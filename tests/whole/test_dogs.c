/* Every file of $CAEC_SHARED/dogs_raw, photographs and oddities, is read or refused by name as its
   MANIFEST.csv says. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INFER BUILD_BIN "/cae-infer --weights run/last.safetensors "

static char *folder, *dogs;

static int set_up(void **state)
{
    (void)state;
    const char *shared = getenv("CAEC_SHARED");
    folder = folder_new();
    dogs = text_of("%s/dogs_raw", shared ? shared : "");
    if (!shared || !file_exists(dogs))
        return 0;
    pictures_write(folder, "one", 1, 1);
    Result result = run(folder, BUILD_BIN "/cae-train --train one --out run --steps 1");
    want_exit(&result, 0);
    result_free(&result);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    free(dogs);
    return 0;
}

static void need_dogs(void)
{
    if (!getenv("CAEC_SHARED") || !file_exists(dogs)) {
        print_message("no photographs: CAEC_SHARED is not set, or has no dogs_raw\n");
        skip();
    }
}

/* A row of the manifest: file,bytes,what,... The programs read JPEG and PNG, whatever the name
   says; the rest is refused. */
static bool is_readable(const char *row)
{
    const char *what = strchr(strchr(row, ',') + 1, ',') + 1;
    return strncmp(what, "JPEG ", 5) == 0 || strncmp(what, "PNG ", 4) == 0;
}

static void check_file(const char *name, bool readable)
{
    Result result = run(folder, INFER "score %s/%s", dogs, name);
    if (!readable) {
        want_refusal(&result, 1, name);
    } else {
        want_exit(&result, 0);
        assert_string_equal(result.err, "");
        const char *row = strchr(result.out, '\n') + 1;
        double mse = strtod(row, NULL);
        if (!(mse > 0 && mse < 1) || !strstr(row, name))
            fail_msg("%s: %s", name, result.out);
    }
    result_free(&result);
}

static void every_file_of_the_manifest(void **state)
{
    (void)state;
    need_dogs();
    char *path = text_of("%s/MANIFEST.csv", dogs), *manifest = file_read(path, NULL);
    int readable = 0, refused = 0;
    for (char *row = strchr(manifest, '\n') + 1; *row; row = strchr(row, '\n') + 1) {
        char *name = text_of("%.*s", (int)strcspn(row, ","), row);
        bool good = is_readable(row);
        check_file(name, good);
        readable += good;
        refused += !good;
        free(name);
    }
    assert_true(readable > 50 && refused > 5);
    free(path);
    free(manifest);
}

/* As a folder the same files are passed over with a word each, and all others have a row. */
static void the_whole_folder(void **state)
{
    (void)state;
    need_dogs();
    char *path = text_of("%s/MANIFEST.csv", dogs), *manifest = file_read(path, NULL);
    Result result = run(folder, INFER "score %s --csv all.csv", dogs);
    want_exit(&result, 0);
    char *csv_path = text_of("%s/all.csv", folder), *csv = file_read(csv_path, NULL);
    for (char *row = strchr(manifest, '\n') + 1; *row; row = strchr(row, '\n') + 1) {
        char *name = text_of("%.*s", (int)strcspn(row, ","), row), *scored = text_of("/%s,", name);
        if (is_readable(row) != (strstr(csv, scored) != NULL))
            fail_msg("%s: readable %d, in the table %d", name, is_readable(row),
                     strstr(csv, scored) != NULL);
        free(name);
        free(scored);
    }
    result_free(&result);
    free(csv_path);
    free(csv);
    free(path);
    free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_the_manifest),
        cmocka_unit_test(the_whole_folder),
    };
    return cmocka_run_group_tests_name("whole dogs", tests, set_up, tear_down);
}
