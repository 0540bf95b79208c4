/* Wrong arguments of convolutions: unknown, missing, without a name, of the wrong type, out of
   range. */
#include "cases.h"
#include "refusal.h"

static void of_conv2d_transpose(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5, "@conv2d_transpose { filters = 3 }"),
          "conv2d_transpose: kernel is missing" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = 3, @slope = 1 }"),
          "conv2d_transpose: no argument is called 'slope'; known are: filters, kernel, stride, "
          "padding, output_padding, dilation, groups, activation, use_bias, tied, name" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = 3, @padding = \"full\" }"),
          "conv2d_transpose: padding wants \"same\", \"valid\", a whole number from 0 to 255" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = 3, @output_padding = 2 }"),
          "conv2d_transpose: output_padding wants 0 up to 1 along the height, with this stride and "
          "kernel, not 2" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = { 3, 4 }, @output_padding = 0 }"),
          "conv2d_transpose: output_padding wants 1 up to 2 along the width, with this stride and "
          "kernel, not 0" },
        { GRAPH(CONV5,
                "conv2d_transpose { filters = 3, kernel = 3, padding = 1, stride = { 2, 1 }, "
                "@output_padding = 1 }"),
          "conv2d_transpose: output_padding wants 0 up to 0 along the width" },
        { GRAPH(CONV5, "@conv2d_transpose { filters = 3, kernel = 3, padding = 9 }"),
          "conv2d_transpose: its padding leaves nothing of what 3x3 windows make of 8x8x5; use "
          "less "
          "padding" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = 3, @groups = 3 }"),
          "conv2d_transpose: 5 channels and 3 filters cannot both be cut into 3 groups" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, kernel = 3, @stride = 0 }"),
          "conv2d_transpose: stride wants a whole number from 1 to 255, or two" },
        { GRAPH(CONV5, "conv2d_transpose { filters = 3, @kernel = 0 }"),
          "conv2d_transpose: kernel wants a whole number from 1 to 255" },
    };
    REFUSE(refusals);
}

static void of_conv2d(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("conv2d { @filtres = 5, kernel = 3 }", CONV3),
          "conv2d: no argument is called 'filtres'; known are: filters, kernel, stride, padding, "
          "dilation, groups, activation" },
        { GRAPH("conv2d { filters = 5, kernel = 3, zz = 1, @yy = 1 }", CONV3),
          "conv2d: no argument is called 'yy'" },
        { GRAPH("@conv2d { kernel = 3 }", CONV3), "conv2d: filters is missing" },
        { GRAPH("@conv2d { filters = 5 }", CONV3), "conv2d: kernel is missing" },
        { GRAPH("@conv2d {}", CONV3), "conv2d: filters is missing" },
        { GRAPH("@conv2d { 5, 3 }", CONV3),
          "conv2d: every argument has a name: conv2d { filters = ... }" },
        { GRAPH("@conv2d(5)", CONV3), "conv2d: wants its arguments in braces: conv2d { ... }" },
        { GRAPH("@conv2d \"x\"", CONV3), "conv2d: wants its arguments in braces" },
        { GRAPH("conv2d { @filters = \"5\", kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number, not a string" },
        { GRAPH("conv2d { @filters = {}, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number, not a table" },
        { GRAPH("conv2d { @filters = true, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number, not a boolean" },
        { GRAPH("conv2d { @filters = conv2d, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number, not a function" },
        { GRAPH("conv2d { @filters = 0, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not 0" },
        { GRAPH("conv2d { @filters = -1, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not -1" },
        { GRAPH("conv2d { @filters = 65537, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not 65537" },
        { GRAPH("conv2d { @filters = 5.5, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not 5.5" },
        { GRAPH("conv2d { @filters = 0/0, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not " },
        { GRAPH("conv2d { @filters = 1/0, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not inf" },
        { GRAPH("conv2d { @filters = 1e300, kernel = 3 }", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not 1e+300" },
    };
    REFUSE(refusals);
}

static void of_windows(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("conv2d { filters = 5, @kernel = 0 }", CONV3),
          "conv2d: kernel wants a whole number from 1 to 255, or two as { height, width }, not 0" },
        { GRAPH("conv2d { filters = 5, @kernel = 256 }", CONV3),
          "conv2d: kernel wants a whole number from 1 to 255, or two as { height, width }, not "
          "256" },
        { GRAPH("conv2d { filters = 5, @kernel = { 3, 3, 3 } }", CONV3),
          "conv2d: kernel wants a whole number from 1 to 255, or two as { height, width }, not "
          "this list" },
        { GRAPH("conv2d { filters = 5, @kernel = { 3, 0 } }", CONV3),
          "conv2d: kernel wants a whole number from 1 to 255, or two as { height, width }, not "
          "this list" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @dilation = 0 }", CONV3),
          "conv2d: dilation wants a whole number from 1 to 255, or two as { height, width }, not "
          "0" },
        { GRAPH("conv2d { filters = 5, kernel = { 5, 255 }, @dilation = 255 }", CONV3),
          "conv2d: a kernel of 255 with a dilation of 255 spans 64771 columns; at most 2048: use a "
          "smaller kernel or dilation" },
        { GRAPH("depthwise_conv2d { kernel = { 255, 1 }, @dilation = 255 }", CONV3),
          "depthwise_conv2d: a kernel of 255 with a dilation of 255 spans 64771 rows; at most "
          "2048" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @groups = 2 }", CONV3),
          "conv2d: 3 channels and 5 filters cannot both be cut into 2 groups; use groups = 1, or "
          "numbers of channels and filters that 2 divides" },
        { GRAPH("conv2d { filters = 12, kernel = 3, @groups = 4 }", CONV3),
          "conv2d: 3 channels and 12 filters cannot both be cut into 4 groups; use groups = 3" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @stride = 0 }", CONV3),
          "conv2d: stride wants a whole number from 1 to 255, or two as { height, width }, not 0" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @stride = false }", CONV3),
          "conv2d: stride wants a whole number from 1 to 255, or two as { height, width }, not a "
          "boolean" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = \"same\\0\" }", CONV3),
          "conv2d: padding wants \"same\", \"valid\", a whole number from 0 to 255, { height, "
          "width } or { top, left, bottom, right }, not" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = \"full\" }", CONV3),
          "conv2d: padding wants \"same\", \"valid\", a whole number from 0 to 255, { height, "
          "width } or { top, left, bottom, right }, not \"full\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = { 1, 2, 3 } }", CONV3),
          "conv2d: padding wants \"same\", \"valid\", a whole number from 0 to 255, { height, "
          "width } or { top, left, bottom, right }, not this list" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = -1 }", CONV3),
          "conv2d: padding wants \"same\", \"valid\", a whole number from 0 to 255, { height, "
          "width } or { top, left, bottom, right }, not -1" },
    };
    REFUSE(refusals);
}

static void of_activations_and_biases(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = \"ReLU\" }", CONV3),
          "conv2d: activation wants one of \"relu\", \"leaky_relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = relu }", CONV3),
          "conv2d: activation wants one of \"relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, activation = \"leaky_relu\", @slope = 0.1 }",
                CONV3),
          "conv2d: no argument is called 'slope'; known are: filters, kernel, stride, padding, "
          "dilation, groups, activation, use_bias, name, trainable, kernel_l1, kernel_l2, "
          "activity_l1, activity_l2; it belongs to the layer "
          "leaky_relu: "
          "remove activation and put leaky_relu { slope = ... } after this one\n" },
        { GRAPH("flatten {}, dense { units = 5, @slope = 0.1 }", CONV3),
          "dense: no argument is called 'slope'; known are: units, activation, use_bias, tied, "
          "name, trainable, kernel_l1, kernel_l2, activity_l1, activity_l2; it "
          "belongs to the layer leaky_relu: " },
        { GRAPH("conv2d { filters = 5, kernel = 3, @size = 2 }", CONV3),
          "conv2d: no argument is called 'size'; known are: filters, kernel, stride, padding, "
          "dilation, groups, activation, use_bias, name, trainable, kernel_l1, kernel_l2, "
          "activity_l1, activity_l2\n" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = 1 }", CONV3),
          "conv2d: use_bias wants true or false, not a number" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = \"true\" }", CONV3),
          "conv2d: use_bias wants true or false, not a string" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_conv2d_transpose),
        cmocka_unit_test(of_conv2d),
        cmocka_unit_test(of_windows),
        cmocka_unit_test(of_activations_and_biases),
    };
    return cmocka_run_group_tests_name("convolutions", tests, NULL, NULL);
}
