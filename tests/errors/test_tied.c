/* Tied layers: what they name, what must agree, what stands in the other layer. */
#include "cases.h"
#include "refusal.h"

#define FLAT "flatten {}, dense { units = 6 },"
#define BACK ", reshape { shape = { 8, 8, 3 } },"

static void names(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(FLAT, "dense { units = 192, @tied = \"encoder.dens1\" }" BACK),
          "dense: there is no layer 'encoder.dens1' before this one; did you mean "
          "encoder.dense1?" },
        { GRAPH(FLAT, "dense { units = 192, @tied = 3 }" BACK),
          "dense: tied wants the name of a layer, such as \"encoder.conv1\", not a number" },
        { GRAPH(FLAT, "dense { units = 192, @tied = { \"encoder.dense1\" } }" BACK),
          "dense: tied wants the name of a layer, such as \"encoder.conv1\", not a table" },
        { GRAPH(FLAT, "dense { units = 192, @tied = \"decoder.dense1\" }" BACK),
          "dense: decoder.dense1 is this layer itself; name one that comes before" },
        { GRAPH("flatten {}, dense { units = 6, @tied = \"decoder.dense1\" },",
                "dense { units = 192 }" BACK),
          "dense: decoder.dense1 comes later; a layer reads only what comes before it" },
        { GRAPH(CONV5, "conv2d { filters = 3, kernel = 3, @tied = \"encoder.conv1\" }"),
          "conv2d: no argument is called 'tied'" },
    };
    REFUSE(refusals);
}

/* Whose output is not read is not read by one that has its kernel. */
static void a_kernel_is_not_the_output(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@conv2d { filters = 5, kernel = 3 }, from { layer = \"input\" }," CONV5,
                "conv2d_transpose { filters = 3, kernel = 3, stride = 1, tied = \"encoder.conv1\" "
                "},"),
          "conv2d: nothing reads the output of encoder.conv1" },
    };
    REFUSE(refusals);
}

static void kinds(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 FLAT, "dense { units = 192, @tied = \"encoder.conv1\" }" BACK),
          "dense: tied wants the name of a dense layer, but encoder.conv1 is of the kind conv2d" },
        { GRAPH(FLAT, "dense { units = 192, @tied = \"encoder.flatten1\" }" BACK),
          "dense: tied wants the name of a dense layer, but encoder.flatten1 is of the kind "
          "flatten" },
        { GRAPH(FLAT, "dense { units = 192, @tied = \"input\" }" BACK),
          "dense: tied wants the name of a dense layer, but input is the image" },
        { GRAPH(CONV5 "conv2d_transpose { filters = 5, kernel = 3, stride = 1 },",
                "conv2d_transpose { filters = 3, kernel = 3, @tied = \"encoder.deconv1\" },"),
          "conv2d_transpose: tied wants the name of a conv2d layer, but encoder.deconv1 is of the "
          "kind conv2d_transpose" },
        { GRAPH("separable_conv2d { filters = 5, kernel = 3 },",
                "conv2d_transpose { filters = 3, kernel = 3, @tied = \"encoder.sepconv1\" },"),
          "conv2d_transpose: tied wants the name of a conv2d layer, but encoder.sepconv1 is of the "
          "kind separable_conv2d" },
        { GRAPH(FLAT, "dense { units = 192, tied = \"encoder.dense1\" }, dense { units = 6 },\n"
                      "dense { units = 192, @tied = \"decoder.dense1\" }" BACK),
          "dense: decoder.dense1 has no kernel of its own, it is tied to encoder.dense1; name a "
          "dense layer that has one" },
    };
    REFUSE(refusals);
}

static void dense_shapes(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(FLAT, "dense { @units = 191, tied = \"encoder.dense1\" }" BACK),
          "dense: tied to encoder.dense1 it has units = 192, not 191; write that, or leave tied "
          "out" },
        { GRAPH(FLAT "dense { units = 4 },",
                "dense { units = 192, @tied = \"encoder.dense1\" }" BACK),
          "dense: tied to encoder.dense1 it wants 6 values, as many as that layer gives, but "
          "encoder.dense2 gives 4; make them 6, or leave tied out" },
    };
    REFUSE(refusals);
}

#define TIED "tied = \"encoder.conv1\" },"
#define HAS "conv2d_transpose: tied to encoder.conv1 it has "

static void convolutions(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5, "conv2d_transpose { @filters = 4, kernel = 3, stride = 1, " TIED),
          HAS "filters = 3, not 4; write that, or leave tied out" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, @kernel = 5, stride = 1, " TIED),
          HAS "kernel = 3, not 5" },
        { GRAPH("conv2d { filters = 5, kernel = { 3, 2 } },",
                "conv2d_transpose { filters = 3, @kernel = { 2, 3 }, stride = 1, " TIED),
          HAS "kernel = { 3, 2 }, not { 2, 3 }" },
        { GRAPH(CONV5, "@conv2d_transpose { filters = 3, kernel = 3, " TIED),
          HAS "stride = 1, not 2" },
        { GRAPH("conv2d { filters = 5, kernel = 3, stride = { 2, 1 } },",
                "conv2d_transpose { filters = 3, kernel = 3, @stride = { 1, 2 }, " TIED),
          HAS "stride = { 2, 1 }, not { 1, 2 }" },
        { GRAPH("conv2d { filters = 5, kernel = 3, dilation = 2 },",
                "@conv2d_transpose { filters = 3, kernel = 3, stride = 1, " TIED),
          HAS "dilation = 2, not 1" },
        { GRAPH("conv2d { filters = 6, kernel = 3, groups = 3 },",
                "@conv2d_transpose { filters = 1, kernel = 3, stride = 1, " TIED),
          HAS "groups = 3, not 1" },
        { GRAPH(CONV5 "conv2d { filters = 4, kernel = 3 },",
                "conv2d_transpose { filters = 3, kernel = 3, stride = 1, @" TIED),
          "conv2d_transpose: tied to encoder.conv1 it wants 5 channels, as many as that layer "
          "gives, but encoder.conv2 gives 8x8x4; make them 5, or leave tied out" },
    };
    REFUSE(refusals);
}

static void penalties(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(FLAT, "dense { units = 192, tied = \"encoder.dense1\", @kernel_l2 = 0.1 }" BACK),
          "dense: has the kernel of encoder.dense1; give kernel_l2 to that layer" },
        { GRAPH(CONV5,
                "conv2d_transpose { filters = 3, kernel = 3, stride = 1, @kernel_l1 = 0.1, " TIED),
          "conv2d_transpose: has the kernel of encoder.conv1; give kernel_l1 to that layer" },
    };
    REFUSE(refusals);
}

/* The kernel is trained where the named layer is: here by no stage but the last. */
static void stages(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { WITH("flatten {}, relu {}, dense { units = 192 },",
               "dense { units = 192, use_bias = false, tied = \"encoder.dense1\" }" BACK,
               "  stages = {\n@{ encoder = \"relu1\", decoder = \"dense1\" },\n{} },\n"),
          "stages: the layers of this stage have nothing to train; let it reach as far as a layer "
          "with weights" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),        cmocka_unit_test(a_kernel_is_not_the_output),
        cmocka_unit_test(kinds),        cmocka_unit_test(dense_shapes),
        cmocka_unit_test(convolutions), cmocka_unit_test(penalties),
        cmocka_unit_test(stages),
    };
    return cmocka_run_group_tests_name("tied", tests, NULL, NULL);
}
