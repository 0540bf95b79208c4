/* depth_to_space and space_to_depth, each the other's gradient: blocks of 2 and 3, of the image's
   own pixels, of one channel and several. */
#include "cases.h"
#include "drive.h"
#include "refusal.h"

static void blocks(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 4,
                .channels = 3,
                .encoder = { { S2D, .size = 2 },
                             { CONV, .filters = 5, .kernel = 3, .activation = "tanh" } },
                .decoder = { { CONV, .filters = 12, .kernel = 3 }, { D2S, .size = 2 } } };
    check_net(&net, "x86-64-v3", "");
    Net thirds = {
        .height = 6,
        .width = 3,
        .channels = 1,
        .encoder = { { CONV, .filters = 9, .kernel = 1, .activation = "tanh" },
                     { D2S, .size = 3 },
                     { ACT, .activation = "elu" },
                     { S2D, .size = 3 } },
        .decoder = { { S2D, .size = 3 }, { D2S, .size = 3 }, { CONV, .filters = 1, .kernel = 3 } }
    };
    check_net(&thirds, "c", "--memory-limit 20K");
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "depth_to_space { @size = 2 },", CONV3),
          "depth_to_space: the 5 channels of encoder.conv1 do not fall into 2x2 equal parts; put a "
          "conv2d with a multiple of 4 filters before it" },
        { GRAPH(CONV5 "space_to_depth { @size = 3 },", CONV3),
          "space_to_depth: the 8x8 pixels of encoder.conv1 do not fall into blocks of 3x3; put "
          "zero_pad2d or crop2d before it to make both multiples of 3" },
        { GRAPH(CONV5 "@space_to_depth {},", CONV3), "space_to_depth: size is missing" },
        { GRAPH(CONV5 "depth_to_space { @size = 1 },", CONV3),
          "depth_to_space: size wants a whole number from 2 to 64, not 1" },
        { GRAPH("flatten {}, @depth_to_space { size = 2 },", CONV3),
          "depth_to_space: wants an image of height x width x channels" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests_name("depth_to_space", tests, NULL, NULL);
}
