/* The largest legal graphs, in the ways that caec has: none takes more than a bounded time and 1
   GiB, none meets an internal error, and what is too large is refused at its place. The bounds are
   for a machine of a fifth of the usual speed. Nothing that is emitted is compiled. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define LIMITS "ulimit -t 300; "
#else
#define LIMITS "ulimit -t 50 -v 1048576; "
#endif

#define CONV "conv2d { filters = 8, kernel = 3, activation = \"relu\" }"
#define LOOPS(size_, encoder_, decoder_, more_)                                                \
    "local e, d, s = {}, {}, {}\nlocal function conv() return " CONV " end\n" encoder_         \
    "\n" decoder_ "\n"                                                                         \
    "d[#d + 1] = conv2d { filters = 3, kernel = 3 }\nreturn autoencoder \"net\" {\n  input = " \
    "{ " size_ ", " size_ ", 3 },\n"                                                           \
    "  encoder = sequential \"encoder\" (e),\n  decoder = sequential \"decoder\" (d),\n" more_ \
    "}\n"

static const char convolutions_32[] = LOOPS("64", "for i = 1, 16 do e[i] = conv() end",
                                            "for i = 1, 15 do d[i] = conv() end", "");
static const char convolutions_128[] = LOOPS("64", "for i = 1, 64 do e[i] = conv() end",
                                             "for i = 1, 63 do d[i] = conv() end", "");
static const char convolutions_512[] = LOOPS("64", "for i = 1, 256 do e[i] = conv() end",
                                             "for i = 1, 255 do d[i] = conv() end", "");
static const char layers_512[] = LOOPS(
    "16",
    "e[1] = conv() for i = 1, 63 do e[#e + 1] = group_norm { groups = 2 } e[#e + 1] = elu {} "
    "e[#e + 1] = max_pool2d { size = 1 } e[#e + 1] = dropout { rate = 0.1 } end",
    "for i = 1, 64 do d[#d + 1] = avg_pool2d { size = 1 } d[#d + 1] = upsample2d { size = 1 } "
    "d[#d + 1] = conv() d[#d + 1] = gaussian_noise { stddev = 0.1 } end d[#d] = nil",
    "");
static const char wide_skips[] = LOOPS(
    "32",
    "e[1] = conv() for i = 1, 254 do e[#e + 1] = conv() e[#e + 1] = add { with = \"encoder.conv1\" "
    "} end",
    "", "");
static const char concats_of_64[] = LOOPS(
    "32",
    "local names = {} for i = 1, 64 do e[i] = conv() names[i] = \"encoder.conv\" .. i end "
    "for i = 1, 20 do e[#e + 1] = concat { with = names } e[#e + 1] = conv() end",
    "", "");
#define DENSE(layers_)                                                                            \
    "e[1] = conv() for i = 2, " layers_                                                           \
    " / 2 do local names = {} for k = 1, i - 1 do names[1 + (k - 1) % 64] = \"encoder.conv\" .. " \
    "k end "                                                                                      \
    "e[#e + 1] = concat { with = names } e[#e + 1] = conv() end"
static const char dense_96[] = LOOPS("32", DENSE("96"), "", "");
static const char dense_192[] = LOOPS("32", DENSE("192"), "", "");
static const char stages_64[] = LOOPS(
    "16", "for i = 1, 128 do e[i] = conv() end",
    "for i = 1, 127 do d[i] = conv() end "
    "for i = 1, 63 do s[i] = { encoder = \"conv\" .. 2 * i, decoder = \"conv\" .. 129 - 2 * i, "
    "epochs = 1 } end s[64] = { epochs = 1 }",
    "  stages = s,\n");
static const char too_much[] = LOOPS(
    "16",
    "local names = {} for i = 1, 64 do e[i] = conv() names[i] = \"encoder.conv\" .. i end "
    "for i = 1, 223 do e[#e + 1] = concat { with = names } e[#e + 1] = conv() end",
    "", "");

/* The words after the name of the graph; to be freed with result_free. */
static Result compile(const char *graph, const char *words)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    char *command = text_of(LIMITS "exec '%s' net.lua --target x86-64-v3 %s", caec_binary(), words);
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", command, NULL });
    free(command);
    free(path);
    folder_remove(folder);
    return result;
}

static void want_compiled(const char *graph, const char *words)
{
    Result result = compile(graph, words);
    want_exit(&result, 0);
    result_free(&result);
}

static void want_refused(const char *graph, const char *words, const char *said)
{
    Result result = compile(graph, words);
    want_exit(&result, 1);
    if (!strstr(result.err, said))
        fail_msg("no \"%s\" in: %s", said, result.err);
    result_free(&result);
}

static const char *const graphs[] = { convolutions_512, layers_512, wide_skips,
                                      concats_of_64,    dense_96,   stages_64 };
enum { GRAPHS = sizeof graphs / sizeof graphs[0] };

static void all_are_shown(void **state)
{
    (void)state;
    for (int i = 0; i < GRAPHS; i++)
        want_compiled(graphs[i], "--summary --dot --dump plan --memory");
    want_compiled(dense_192, "--dump plan --memory");
}

static void all_are_emitted(void **state)
{
    (void)state;
    for (int i = 0; i < GRAPHS; i++)
        want_compiled(graphs[i], i % 2 ? "-o . --no-runtime" : "-o . --emit library");
    want_compiled(dense_96, "-o . --no-runtime");
    want_compiled(convolutions_512, "-o . --emit library --stream");
    want_compiled(convolutions_512, "-o . --emit library --no-training --optimize size");
}

static void limits_are_kept_or_refused(void **state)
{
    (void)state;
    for (int i = 0; i < GRAPHS; i++)
        want_refused(graphs[i], "--memory --memory-limit 1K",
                     "does not fit; the smallest limit that works is ");
    want_compiled(convolutions_32, "--memory --memory-limit 4M");
    want_compiled(convolutions_128, "--memory --memory-limit 14M");
}

static void too_much_is_refused(void **state)
{
    (void)state;
    want_refused(
        too_much, "--summary --dump plan",
        "with this layer the network and its gradients come to more than 50000 operators; name "
        "fewer layers");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_are_shown),
                                        cmocka_unit_test(all_are_emitted),
                                        cmocka_unit_test(limits_are_kept_or_refused),
                                        cmocka_unit_test(too_much_is_refused) };
    return cmocka_run_group_tests_name("extremes", tests, NULL, NULL);
}
