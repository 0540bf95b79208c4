/* rescale: constants of all values and one a channel, of images and flat values, of pixels; layers
   that share a function only where their constants are the same. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

static Net constants(void)
{
    return (Net){ .height = 4,
                  .width = 5,
                  .channels = 3,
                  .encoder = { { RESCALE, .scale = 2, .offset = -1 },
                               { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                               { RESCALE, .scale = -0.7, .offset = 0.3, .by_channel = true },
                               { RESCALE, .scale = 1, .offset = 0.25 },
                               { RESCALE, .scale = 0.1 } },
                  .decoder = { { .kind = FLATTEN },
                               { DENSE, .units = 60 },
                               { RESCALE, .scale = 1.5, .offset = 1, .by_channel = true },
                               { RESHAPE, .shape = { 4, 5, 3 } } } };
}

static void of_all_and_of_each(void **state)
{
    (void)state;
    Net net = constants();
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "c", "--memory-limit 210K");
}

/* How many functions rescale forward in what caec emits for so many layers that a graph of them
   shares functions; the last of the five constants of every second one is `last`. */
static int functions(const char *last)
{
    static const char graph[] =
        "local layers = { conv2d { filters = 5, kernel = 1 } }\n"
        "for i = 1, 270 do layers[i + 1] = rescale { scale = { 1, 2, 3, 4, i %% 2 == 0 and 5 or %s "
        "} } end\n"
        "return autoencoder \"net\" { input = { 2, 2, 1 }, encoder = sequential \"encoder\" "
        "(layers),\n  decoder = sequential \"decoder\" { conv2d { filters = 1, kernel = 1 } } }\n";
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder),
         *text = text_of(graph, last);
    file_write(path, text, strlen(text));
    Result r = run(folder, "%s net.lua -o out --no-runtime", caec_binary());
    want_exit(&r, 0);
    result_free(&r);
    int count = 0;
    FileList list = files_below(folder);
    for (int i = 0; i < list.count; i++)
        count += strstr(list.path[i], "rescale") && strstr(list.path[i], "_forward.c");
    file_list_free(&list);
    free(text);
    free(path);
    folder_remove(folder);
    return count;
}

/* One function for the same constants, two where one of a list is another. */
static void shared_functions(void **state)
{
    (void)state;
    assert_int_equal(functions("5"), 1);
    assert_int_equal(functions("6"), 2);
}

#define SCALED(arguments_) GRAPH(CONV5 "rescale { " arguments_ " },", CONV3)

static void what_does_not_fit(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { SCALED("@scale = { 1, 2 }"),
          "rescale: encoder.conv1 gives 8x8x5, so scale wants one number, or a list of 5, one a "
          "channel, not of 2" },
        { SCALED("scale = 1, @offset = { 1, 2, 3, 4, 5, 6 }"),
          "rescale: encoder.conv1 gives 8x8x5, so offset wants one number, or a list of 5, one a "
          "channel, not of 6" },
        { SCALED("@scale = 1 / 0"), "rescale: scale wants a number from -1e+30 to 1e+30, not inf" },
        { SCALED("@scale = 0 / 0"), "rescale: scale wants a number from -1e+30 to 1e+30, not " },
        { SCALED("@scale = { 1, 2, 3, 4, 1e31 }"),
          "rescale: scale wants numbers from -1e+30 to 1e+30, but number 5 of its list is 1e+31" },
        { SCALED("@scale = { 1, \"2\", 3, 4, 5 }"),
          "rescale: scale wants numbers from -1e+30 to 1e+30, but number 2 of its list is \"2\"" },
        { SCALED("@scale = { 1, 2, c = 3 }"),
          "rescale: scale wants a number, or a list of 1 to 4096 numbers" },
        { SCALED("@scale = {}"), "rescale: scale wants a number, or a list of 1 to 4096 numbers" },
        { SCALED("@scale = \"2\""), "rescale: scale wants a number, not a string" },
        { GRAPH(CONV5 "@rescale { offset = 1 },", CONV3), "rescale: scale is missing" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_all_and_of_each),
        cmocka_unit_test(shared_functions),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests_name("rescale", tests, NULL, NULL);
}
