/* The memory plan, read from `--memory`: no two buffers that live at the same time overlap, all lie
   inside the workspace and start at a multiple of 64. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BUFFERS = 512 };

typedef struct Buffer {
    size_t offset, bytes;
    int first, last;
    char name[128];
} Buffer;

typedef struct Workspace {
    char name[32];
    size_t bytes;
    Buffer buffers[MAX_BUFFERS];
    int count;
} Workspace;

static void check_workspace(const Workspace *w)
{
    size_t end = 0;
    for (int i = 0; i < w->count; i++) {
        const Buffer *a = &w->buffers[i];
        if (a->offset % 64 != 0 || a->bytes == 0 || a->offset + a->bytes > w->bytes
            || a->first > a->last)
            fail_msg("%s: %s at %zu, %zu bytes, steps %d to %d, of %zu", w->name, a->name,
                     a->offset, a->bytes, a->first, a->last, w->bytes);
        end = a->offset + a->bytes > end ? a->offset + a->bytes : end;
        for (int k = 0; k < i; k++) {
            const Buffer *b = &w->buffers[k];
            bool meet = a->first <= b->last && b->first <= a->last;
            if (meet && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes)
                fail_msg("%s: %s and %s overlap while both live", w->name, a->name, b->name);
        }
    }
    if (end + 64 <= w->bytes)
        fail_msg("%s: %zu bytes where %zu do", w->name, w->bytes, end);
}

/* Checks all workspaces of the text; returns how many buffers there are in all. */
static int check_text(char *text)
{
    Workspace *w = calloc(1, sizeof *w);
    assert_non_null(w);
    int buffers = 0, workspaces = 0, evaluations = 0, stages = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        Buffer b = { 0 };
        size_t bytes;
        char name[32];
        if (sscanf(line, "%31[a-z0-9 ]: workspace %zu bytes", name, &bytes) == 2
            || sscanf(line, "%31[a-z0-9 ]: in the memory of a group %zu bytes", name, &bytes)
                   == 2) {
            check_workspace(w);
            *w = (Workspace){ .bytes = bytes };
            strcpy(w->name, name);
            workspaces += strstr(line, ": workspace") != NULL;
            evaluations += strstr(name, "evaluate") != NULL;
            sscanf(name, "train stage %d", &stages);
        } else if (sscanf(line, " %zu %zu %d-%d %127s", &b.offset, &b.bytes, &b.first, &b.last,
                          b.name)
                   == 5) {
            assert_true(w->count < MAX_BUFFERS);
            w->buffers[w->count++] = b;
            buffers++;
        } else if (!strstr(line, "offset")) {
            fail_msg("what is this line of --memory? %s", line);
        }
    }
    check_workspace(w);
    /* of layers that take statistics of a group each training has its loss of validation besides */
    assert_true(evaluations == 0 || evaluations == 1 + stages);
    assert_int_equal(workspaces, 3 + 2 * stages + evaluations);
    free(w);
    return buffers;
}

static int check_graph(const char *folder, const char *graph, const char *options)
{
    Result result = run_caec(folder, "%s --memory %s", graph, options);
    want_exit(&result, 0);
    print_message("%s %s\n", graph, options);
    int buffers = check_text(result.out);
    result_free(&result);
    return buffers;
}

static const char *const options[] = { "--target x86-64-v4", "--target x86-64-v3 --real double",
                                       "--target x86-64-v2", "--target c", "--target aarch64" };

static void of_the_networks_in_graphs(void **state)
{
    (void)state;
    char *folder = text_of("%s/graphs", project_folder());
    FileList list = files_below(folder);
    int buffers = 0;
    for (int i = 0; i < list.count; i++)
        for (int k = 0; k < 5; k++)
            if (strstr(list.path[i], ".lua"))
                buffers += check_graph(folder, list.path[i], options[k]);
    assert_true(buffers > 100);
    file_list_free(&list);
    free(folder);
}

/* Kernels that take nothing in leave more values to place. */
static void with_every_value_in_memory(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" { input = { 13, 19, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3, activation = \"relu\" }, "
        "tanh {}, conv2d { filters = 7, kernel = 3 }, elu {} },\n"
        "  decoder = sequential \"d\" { conv2d { filters = 7, kernel = 3, activation = "
        "\"softplus\" }, conv2d { filters = 3, kernel = 5 } } }\n";
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    for (int k = 0; k < 5; k++) {
        char *all = text_of("%s --kernel e.conv1=conv_plain --kernel e.conv2=conv_plain --kernel "
                            "d.conv1=conv_plain --kernel d.conv2=conv_plain",
                            options[k]);
        assert_true(check_graph(folder, "net.lua", all) > 20);
        free(all);
    }
    free(path);
    folder_remove(folder);
}

/* Values that live from the encoder to the end of the decoder and on into the gradients, several at
   once. */
static void of_branches(void **state)
{
    (void)state;
    static const char graph[] =
        "return autoencoder \"net\" { input = { 16, 24, 3 },\n"
        "  encoder = sequential \"e\" { conv2d { filters = 5, kernel = 3, activation = \"relu\" }, "
        "max_pool2d {},\n"
        "    conv2d { filters = 7, kernel = 3, activation = \"tanh\" }, max_pool2d {}, conv2d { "
        "filters = 7, kernel = 1 }, add { with = \"e.pool2\" } },\n"
        "  decoder = sequential \"d\" { max_unpool2d { pool = \"e.pool2\" }, concat { with = { "
        "\"e.conv2\", \"e.pool1\" } },\n"
        "    conv2d { filters = 5, kernel = 3 }, max_unpool2d { pool = \"e.pool1\" }, concat { "
        "with = { \"e.conv1\", \"input\" } },\n"
        "    conv2d { filters = 3, kernel = 3 } } }\n";
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    for (int k = 0; k < 5; k++) {
        assert_true(check_graph(folder, "net.lua", options[k]) > 50);
        char *plain = text_of("%s --kernel e.conv1=conv_plain --kernel e.conv2=conv_plain --kernel "
                              "d.conv1=conv_plain --kernel d.conv2=conv_plain",
                              options[k]);
        assert_true(check_graph(folder, "net.lua", plain) > 50);
        free(plain);
    }
    free(path);
    folder_remove(folder);
}

/* Of rows: kernels of plain loops need no scratch memory, the others have one block after all
   rings. */
static void of_streams(void **state)
{
    (void)state;
    static const char *const kernels[] = { "--optimize size", "--target x86-64-v3" };
    for (int k = 0; k < 2; k++) {
        Result result = run_caec(project_folder(),
                                 "graphs/cae.lua --emit library --stream --no-training --memory %s",
                                 kernels[k]);
        want_exit(&result, 0);
        assert_non_null(strstr(result.out, "encoder_pool3"));
        assert_int_equal(strstr(result.out, "scratch of the steps") != NULL, k);
        result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_the_networks_in_graphs),
                                        cmocka_unit_test(with_every_value_in_memory),
                                        cmocka_unit_test(of_branches),
                                        cmocka_unit_test(of_streams) };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
