/* zero_pad2d and crop2d, each the other's gradient: on the image's own pixels, with and without
   every side, around what other layers read, in inference of its own. */
#include "cases.h"
#include "drive.h"
#include "refusal.h"

static void around_images(void **state)
{
    (void)state;
    Net net = { .height = 5,
                .width = 6,
                .channels = 3,
                .encoder = { { PAD, .pad = { 1, 2, 0, 3 } },
                             { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                             { CROP, .pad = { 0, 1, 2, 0 } },
                             { PAD, .pad = { 2, 2, 2, 2 } },
                             { POOL, .size = 2 } },
                .decoder = { { UP, .size = 2 },
                             { CONV, .filters = 3, .kernel = 3 },
                             { CROP, .pad = { 1, 5, 2, 7 } },
                             { PAD, .pad = { 0, 4, 0, 0 } } } };
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "c", "--memory-limit 40K");
}

/* A skip that is cut to the size of what was padded away, and copies for inference. */
static void of_branches_and_noise(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 5,
                .channels = 2,
                .encoder = { { NOISE, .rate = 0.1 },
                             { CROP, .pad = { 1, 1, 1, 1 }, .name = "middle" },
                             { CONV, .filters = 2, .kernel = 3, .activation = "sigmoid" } },
                .decoder = { { ADD, .with = "encoder.middle" },
                             { PAD, .pad = { 1, 1, 1, 1 } },
                             { ADD, .with = "input" } } };
    check_net(&net, "x86-64-v3", "");
}

#define CROPPED(padding_) GRAPH(CONV5 "crop2d { @padding = " padding_ " },", CONV3)

static void what_does_not_fit(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { CROPPED("4"), "crop2d: 4 and 4 of the 8 rows of encoder.conv1 leave none; take 7 in all "
                        "at most, or crop a larger image" },
        { CROPPED("{ 0, 3, 0, 5 }"),
          "crop2d: 3 and 5 of the 8 columns of encoder.conv1 leave none; take 7 in all at most" },
        { CROPPED("{ 1, 2, 3 }"),
          "crop2d: padding wants a whole number from 0 to 1048576, { "
          "height, width } or { top, left, bottom, right }, not this list" },
        { CROPPED("\"same\""), "crop2d: padding wants a whole number from 0 to 1048576" },
        { GRAPH(CONV5 "@crop2d {},", CONV3), "crop2d: padding is missing" },
        { GRAPH(CONV5 "zero_pad2d { @padding = { 1, -1 } },", CONV3),
          "zero_pad2d: padding wants a whole number from 0 to 1048576" },
        { GRAPH(CONV5 "@zero_pad2d { padding = 600000 },", CONV3),
          "zero_pad2d: a tensor of 1200008x1200008x5 is too large" },
        { GRAPH("flatten {}, @zero_pad2d { padding = 1 },", CONV3),
          "zero_pad2d: wants an image of height x width x channels, but encoder.flatten1 gives "
          "192" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(around_images),
        cmocka_unit_test(of_branches_and_noise),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests_name("zero_pad2d", tests, NULL, NULL);
}
