/* What the fuzzers start from and what they found, again and without them: every file of
 * corpus/<name>, each cut short at every length, each with every byte changed, those of its first
 * 2 KiB, where headers are, in several ways. All must be read or refused; what "refused" means the
 * reader checks itself. */
#define _POSIX_C_SOURCE 200809L
#include "reader.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_BYTES = 1 << 16, HEADER_BYTES = 2048, WAYS = 5 };

static uint8_t bytes[MAX_BYTES];
static int files, runs;

/* In a block of its own, so that the sanitizers see where it ends. */
static void take(const uint8_t *from, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, from, size);
    reader_take(copy, size);
    free(copy);
    runs++;
}

static void as_it_is(size_t size)
{
    take(bytes, size);
}

static void cut_short(size_t size)
{
    for (size_t n = 0; n < size; n++)
        take(bytes, n);
}

static void changed(size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t right = bytes[i],
                      others[WAYS] = { 0, 0xFF, (uint8_t)(right ^ 1), (uint8_t)(right ^ 0x80),
                                       (uint8_t)(right + 1) };
        for (size_t k = 0; k < WAYS; k++) {
            if (i >= HEADER_BYTES && k != i % WAYS)
                continue;
            bytes[i] = others[k];
            take(bytes, size);
        }
        bytes[i] = right;
    }
}

static void each_file(void (*act)(size_t size))
{
    DIR *folder = opendir(HOSTILE_CORPUS);
    assert_non_null(folder);
    files = runs = reader_refusals = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[1000];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", HOSTILE_CORPUS, entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_true(size < MAX_BYTES);
        act(size);
        files++;
    }
    closedir(folder);
    assert_true(files >= 5);
    printf("%s: %d files, read %d times, %d refusals\n", strrchr(HOSTILE_CORPUS, '/') + 1, files,
           runs, reader_refusals);
}

static void the_corpus(void **state)
{
    (void)state;
    each_file(as_it_is);
}

static void every_length(void **state)
{
    (void)state;
    each_file(cut_short);
}

static void every_byte(void **state)
{
    (void)state;
    each_file(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_corpus),
                                        cmocka_unit_test(every_length),
                                        cmocka_unit_test(every_byte) };
    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
