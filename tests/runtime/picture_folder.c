#define _XOPEN_SOURCE 700
#include "picture_folder.h"

#include "images/image.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char folder[256], last_warning[1000];
int warnings;
const DatasetOptions plain = { SIDE, SIDE, 3, 1 << 20, 2, 0, 0 };

void warn(const char *text)
{
    warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", text);
}

int make_folder(void **state)
{
    (void)state;
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/test_dataset.XXXXXX", top && *top ? top : "/tmp");
    warnings = 0;
    last_warning[0] = 0;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *below(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void add_picture(const char *name, int value)
{
    uint8_t pixels[BYTES];
    Error error;
    memset(pixels, value, sizeof pixels);
    assert_int_equal(image_write_png(below(name), SIDE, SIDE, 3, pixels, &error), 0);
}

void add_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(below(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

void add_truncated(const char *name)
{
    uint8_t bytes[60];
    add_picture(name, 1);
    FILE *f = fopen(below(name), "rb");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    unlink(below(name));
    add_bytes(name, bytes, sizeof bytes);
}

void add_numbered(int count)
{
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%03d.png", i);
        add_picture(name, i);
    }
}

Dataset *open_folder(const DatasetOptions *options)
{
    Dataset *dataset;
    Error error;
    assert_int_equal(dataset_open_folder(&dataset, folder, options, warn, &error), 0);
    return dataset;
}
