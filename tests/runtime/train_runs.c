#define _XOPEN_SOURCE 700
#include "train_runs.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char folder[512], out_a[600], out_b[600], said_path[600];
char said[1 << 16];

int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/caec-train-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(out_a, sizeof out_a, "%s/a", folder);
    snprintf(out_b, sizeof out_b, "%s/deep/b", folder);
    snprintf(said_path, sizeof said_path, "%s/said.txt", folder);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int tear_down(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

PictureFolders folders_of(const char *path)
{
    static const char *paths[1];
    paths[0] = path;
    return (PictureFolders){ paths, 1 };
}

TrainOptions options_for(const char *out)
{
    TrainOptions o = { .command = TRAIN_RUN,
                       .out = out,
                       .batch = 64,
                       .threads = 2,
                       .cache_bytes = 1 << 22,
                       .cache_given = 1 };
    return o;
}

TrainOptions resume_for(const char *out)
{
    TrainOptions o = options_for(out);
    o.resume = true;
    o.batch = 0;
    return o;
}

char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    char *bytes = calloc(1, 1 << 20);
    *size = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

int run_model(const Model *model, TrainOptions options, Error *error)
{
    size_t size;
    fflush(stdout);
    int screen = dup(STDOUT_FILENO);
    assert_non_null(freopen(said_path, "w", stdout));
    int result = train_run(model, &options, error);
    fflush(stdout);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    char *text = read_file(said_path, &size);
    snprintf(said, sizeof said, "%s", text);
    free(text);
    return result;
}

void run_or_fail(TrainOptions options)
{
    Error error = { 0 };
    int result = run_model(&caec_model, options, &error);
    if (result != 0)
        fail_msg("%d: %s", result, error.text);
}

void refused(TrainOptions options, int code, const char *word)
{
    Error error = { 0 };
    assert_int_equal(run_model(&caec_model, options, &error), -1);
    assert_int_equal(error.exit_code, code);
    if (!strstr(error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
}

void file_of(const char *out, const char *name, char *path)
{
    snprintf(path, PATH_SIZE, "%s/%s", out, name);
}

bool is_there(const char *out, const char *name)
{
    char path[PATH_SIZE];
    file_of(out, name, path);
    return access(path, F_OK) == 0;
}

void assert_same_file(const char *name)
{
    char path_a[PATH_SIZE], path_b[PATH_SIZE];
    size_t size_a, size_b;
    file_of(out_a, name, path_a);
    file_of(out_b, name, path_b);
    char *a = read_file(path_a, &size_a), *b = read_file(path_b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    free(a);
    free(b);
}

int times_said(const char *words)
{
    int times = 0;
    for (const char *at = said; (at = strstr(at, words)) != NULL; at++)
        times++;
    return times;
}

void history_epochs(const char *out, char *text, int *val)
{
    char path[PATH_SIZE];
    size_t size;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size);
    *text = '\0';
    *val = 1;
    char *line = strtok(bytes, "\n");
    assert_string_equal(line, "epoch,loss,val_loss,seconds,images_per_second,lr");
    while ((line = strtok(NULL, "\n")) != NULL) {
        sprintf(text + strlen(text), "%d ", atoi(line));
        if (strstr(line, ",,"))
            *val = 0;
    }
    free(bytes);
}

void history_without_times(const char *out, char text[PATH_SIZE])
{
    char path[PATH_SIZE];
    size_t size;
    file_of(out, "history.csv", path);
    char *bytes = read_file(path, &size);
    *text = '\0';
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        const char *rate = line;
        size_t loss = 0;
        for (int comma = 0; comma < 5; comma++) {
            rate = strchr(rate, ',') + 1;
            if (comma == 2)
                loss = (size_t)(rate - line);
        }
        sprintf(text + strlen(text), "%.*s%s\n", (int)loss, line, rate);
    }
    free(bytes);
}
