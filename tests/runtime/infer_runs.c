#define _XOPEN_SOURCE 700 /* mkdtemp */
#define main program_main /* the whole program, to be run in a child process */
#include "main_infer.c"
#undef main

#include "infer_runs.h"

#include "formats/npy.h"
#include "formats/safetensors.h"
#include "images/image.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char folder[200], weights[300];
static char printed[300];
uint8_t pictures[PICTURES][BYTES];
char text[65536];

char *at(const char *name)
{
    static char paths[8][300];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void remove_all(const char *path)
{
    DIR *directory = opendir(path);
    char inner[600];
    struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            if (unlink(inner) != 0)
                remove_all(inner);
        }
    if (directory)
        closedir(directory);
    rmdir(path);
}

static int write_weights(void)
{
    static float values[REALS];
    const int offset[] = { K1, B1, K2, B2 };
    SafetensorsItem items[4];
    char message[800];

    for (int c = 0; c < 3; c++) {
        values[K1 + (4 * 3 + c) * 4 + c] = 1;
        values[K2 + (4 * 4 + c) * 3 + c] = 1;
    }
    values[B1 + 3] = 0.25f;
    for (int i = 0; i < 4; i++) {
        const ModelParameter *p = &caec_model.parameters[i];
        items[i] = (SafetensorsItem){ .name = p->name,
                                      .type = SAFETENSORS_F32,
                                      .rank = p->shape.rank,
                                      .values = values + offset[i] };
        for (int k = 0; k < p->shape.rank; k++)
            items[i].shape[k] = p->shape.dim[k];
    }
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    return safetensors_write(weights, items, 4, NULL, NULL, 0, message, sizeof message);
}

int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    uint32_t random = 1;
    Error error;
    char name[20];

    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-infer-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || write_weights() != 0 || mkdir(at("in"), 0777) != 0)
        return -1;
    snprintf(printed, sizeof printed, "%s/printed", folder);
    for (int i = 0; i < PICTURES; i++) {
        for (int k = 0; k < BYTES; k++) {
            random = random * 1664525 + 1013904223;
            /* the first picture is flat, and so without error; the last is the worst */
            pictures[i][k] = (uint8_t)(i == 0 ? 100 : (random >> 24) / (unsigned)(PICTURES - i));
        }
        snprintf(name, sizeof name, "in/%c.png", 'a' + i);
        if (image_write_png(at(name), SIDE, SIDE, 3, pictures[i], &error) != 0)
            return -1;
    }
    return 0;
}

int remove_folder(void **state)
{
    (void)state;
    remove_all(folder);
    return 0;
}

int run_words(char **words, int count)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(printed, "w", stdout) || dup2(1, 2) < 0)
            _exit(99);
        int code = program_main(count, words);
        fflush(NULL);
        _exit(code);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    FILE *file = fopen(printed, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int exists(const char *name)
{
    return access(at(name), F_OK) == 0;
}

void put_latents(const char *path, int rows, const float *levels)
{
    const int64_t shape[] = { rows, 4, 4, 4 };
    char message[800];
    NpyWriter writer;

    assert_int_equal(npy_create(&writer, path, 4, shape, message, sizeof message), 0);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < LATENT; i++) {
            float value = levels[r] * (float)(i % 4 + 1);
            npy_append(&writer, &value, 1);
        }
    assert_int_equal(npy_commit(&writer, rows, message, sizeof message), 0);
}

void read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
}
