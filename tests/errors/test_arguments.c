/* Wrong arguments of every word of the graph language: unknown, missing, without a name, of the wrong type, out of range. */
#include "cases.h"
#include "refusal.h"

static void of_conv2d(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("conv2d { @filtres = 5, kernel = 3 }", CONV3), "conv2d: no argument is called 'filtres'; known are: filters, kernel, stride, padding" },
        { GRAPH("conv2d { filters = 5, kernel = 3, zz = 1, @yy = 1 }", CONV3), "conv2d: no argument is called 'yy'" },
        { GRAPH("@conv2d { kernel = 3 }", CONV3), "conv2d: filters is missing" },
        { GRAPH("@conv2d { filters = 5 }", CONV3), "conv2d: kernel is missing" },
        { GRAPH("@conv2d {}", CONV3), "conv2d: filters is missing" },
        { GRAPH("@conv2d { 5, 3 }", CONV3), "conv2d: every argument has a name: conv2d { filters = ... }" },
        { GRAPH("@conv2d(5)", CONV3), "conv2d: wants its arguments in braces: conv2d { ... }" },
        { GRAPH("@conv2d \"x\"", CONV3), "conv2d: wants its arguments in braces" },
        { GRAPH("conv2d { @filters = \"5\", kernel = 3 }", CONV3), "conv2d: filters wants a whole number, not a string" },
        { GRAPH("conv2d { @filters = {}, kernel = 3 }", CONV3), "conv2d: filters wants a whole number, not a table" },
        { GRAPH("conv2d { @filters = true, kernel = 3 }", CONV3), "conv2d: filters wants a whole number, not a boolean" },
        { GRAPH("conv2d { @filters = conv2d, kernel = 3 }", CONV3), "conv2d: filters wants a whole number, not a function" },
        { GRAPH("conv2d { @filters = 0, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not 0" },
        { GRAPH("conv2d { @filters = -1, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not -1" },
        { GRAPH("conv2d { @filters = 65537, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not 65537" },
        { GRAPH("conv2d { @filters = 5.5, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not 5.5" },
        { GRAPH("conv2d { @filters = 0/0, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not " },
        { GRAPH("conv2d { @filters = 1/0, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not inf" },
        { GRAPH("conv2d { @filters = 1e300, kernel = 3 }", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not 1e+300" },
        { GRAPH("conv2d { filters = 5, @kernel = 0 }", CONV3), "conv2d: kernel wants a whole number from 1 to 255, not 0" },
        { GRAPH("conv2d { filters = 5, @kernel = 256 }", CONV3), "conv2d: kernel wants a whole number from 1 to 255, not 256" },
        { GRAPH("conv2d { filters = 5, @kernel = { 3, 3 } }", CONV3), "conv2d: kernel wants a whole number, not a table" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @stride = 0 }", CONV3), "conv2d: stride wants a whole number from 1 to 255, not 0" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @stride = false }", CONV3), "conv2d: stride wants a whole number, not a boolean" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = \"full\" }", CONV3), "conv2d: padding wants one of \"same\", \"valid\", not \"full\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @padding = 1 }", CONV3), "conv2d: padding wants one of \"same\", \"valid\", not a number" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = \"ReLU\" }", CONV3), "conv2d: activation wants one of \"relu\", \"leaky_relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = relu }", CONV3), "conv2d: activation wants one of \"relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = 1 }", CONV3), "conv2d: use_bias wants true or false, not a number" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = \"true\" }", CONV3), "conv2d: use_bias wants true or false, not a string" },
    };
    REFUSE(refusals);
}

static void of_dense_layers(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("flatten {}, @dense {}", CONV3), "dense: units is missing" },
        { GRAPH("flatten {}, @dense { 5 }", CONV3), "dense: every argument has a name: dense { units = ... }" },
        { GRAPH("flatten {}, dense { @filters = 5 }", CONV3), "dense: no argument is called 'filters'; known are: units, activation, use_bias, name" },
        { GRAPH("flatten {}, dense { @units = 0 }", CONV3), "dense: units wants a whole number from 1 to 1048576, not 0" },
        { GRAPH("flatten {}, dense { @units = 2.5 }", CONV3), "dense: units wants a whole number from 1 to 1048576, not 2.5" },
        { GRAPH("flatten {}, dense { units = 5, @activation = \"swish\" }", CONV3), "dense: activation wants one of \"relu\"" },
        { GRAPH("flatten {}, dense { units = 5, @use_bias = 0 }", CONV3), "dense: use_bias wants true or false, not a number" },
        { GRAPH("flatten { @size = 2 }", CONV3), "flatten: no argument is called 'size'; known are: name" },
        { GRAPH("@reshape {}", CONV3), "reshape: shape is missing" },
        { GRAPH("@reshape { { 8, 8, 3 } }", CONV3), "reshape: every argument has a name: reshape { shape = ... }" },
        { GRAPH("reshape { @shape = 192 }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers from 1 to 1048576" },
        { GRAPH("reshape { @shape = { 8, 24 } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, 3, 1 } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, \"3\" } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 0, 8, 3 } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 0/0, 3 } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, 3, name = 1 } }", CONV3), "reshape: shape wants { height, width, channels }, whole numbers" },
    };
    REFUSE(refusals);
}

static void of_layers_with_a_size(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "max_pool2d { @pool = 2 }", CONV3), "max_pool2d: no argument is called 'pool'; known are: size, name" },
        { GRAPH(CONV5 "@max_pool2d { 2 }", CONV3), "max_pool2d: every argument has a name: max_pool2d { size = ... }" },
        { GRAPH(CONV5 "max_pool2d { @size = 0 }", CONV3), "max_pool2d: size wants a whole number from 1 to 16, not 0" },
        { GRAPH(CONV5 "max_pool2d { @size = 17 }", CONV3), "max_pool2d: size wants a whole number from 1 to 16, not 17" },
        { GRAPH(CONV5 "max_pool2d { @size = 1.5 }", CONV3), "max_pool2d: size wants a whole number from 1 to 16, not 1.5" },
        { GRAPH(CONV5 "max_pool2d { @size = \"2\" }", CONV3), "max_pool2d: size wants a whole number, not a string" },
        { GRAPH(CONV5 "@max_pool2d(2)", CONV3), "max_pool2d: wants its arguments in braces" },
        { GRAPH(CONV5, "upsample2d { @factor = 2 }, " CONV3), "upsample2d: no argument is called 'factor'; known are: size, name" },
        { GRAPH(CONV5, "upsample2d { @size = 0 }, " CONV3), "upsample2d: size wants a whole number from 1 to 64, not 0" },
        { GRAPH(CONV5, "upsample2d { @size = 65 }, " CONV3), "upsample2d: size wants a whole number from 1 to 64, not 65" },
        { GRAPH(CONV5, "upsample2d { @size = {} }, " CONV3), "upsample2d: size wants a whole number, not a table" },
        { GRAPH(CONV5, "@upsample2d { 2 }, " CONV3), "upsample2d: every argument has a name" },
    };
    REFUSE(refusals);
}

static void of_activations(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "relu { @slope = 0.1 }", CONV3), "relu: no argument is called 'slope'; known are: name" },
        { GRAPH(CONV5 "@relu { 1 }", CONV3), "relu: every argument has a name: relu { name = ... }" },
        { GRAPH(CONV5 "@relu()", CONV3), "relu: wants its arguments in braces" },
        { GRAPH(CONV5 "leaky_relu { @slope = \"0.1\" }", CONV3), "leaky_relu: slope wants a number, not a string" },
        { GRAPH(CONV5 "leaky_relu { @slope = -0.1 }", CONV3), "leaky_relu: slope wants a number from 0 to 1, not -0.1" },
        { GRAPH(CONV5 "leaky_relu { @slope = 1.1 }", CONV3), "leaky_relu: slope wants a number from 0 to 1, not 1.1" },
        { GRAPH(CONV5 "leaky_relu { @alpha = 0.1 }", CONV3), "leaky_relu: no argument is called 'alpha'; known are: slope, name" },
        { GRAPH(CONV5 "sigmoid { @x = 1 }", CONV3), "sigmoid: no argument is called 'x'" },
        { GRAPH(CONV5 "tanh { @x = 1 }", CONV3), "tanh: no argument is called 'x'" },
        { GRAPH(CONV5 "softplus { @x = 1 }", CONV3), "softplus: no argument is called 'x'" },
        { GRAPH(CONV5 "elu { @alpha = 1 }", CONV3), "elu: no argument is called 'alpha'" },
        { GRAPH(CONV5 "linear { @x = 1 }", CONV3), "linear: no argument is called 'x'" },
    };
    REFUSE(refusals);
}

static void of_training(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { WITH(CONV5, CONV3, "  @training = 1,\n"), "autoencoder: training wants { loss = ..., optimizer = ..." },
        { WITH(CONV5, CONV3, "  training = { @los = \"mse\" },\n"), "training: no argument is called 'los'; known are: loss, batch, epochs, optimizer" },
        { WITH(CONV5, CONV3, "  training = { @loss = \"mean\" },\n"), "training: loss wants one of \"mse\"" },
        { WITH(CONV5, CONV3, "  training = { @loss = 1 },\n"), "training: loss wants one of \"mse\"" },
        { WITH(CONV5, CONV3, "  training = { @batch = 0 },\n"), "training: batch wants a whole number from 1 to 1048576, not 0" },
        { WITH(CONV5, CONV3, "  training = { @batch = \"64\" },\n"), "training: batch wants a whole number, not a string" },
        { WITH(CONV5, CONV3, "  training = { batch = 8, @epochs = 0.5 },\n"), "training: epochs wants a whole number from 1 to 16777216, not 0.5" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = \"adam\" },\n"), "autoencoder: optimizer wants one of the optimizers, such as adam" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = conv2d { filters = 1, kernel = 1 } },\n"), "autoencoder: optimizer wants one of the optimizers" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = adam },\n"), "autoencoder: optimizer wants one of the optimizers" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @lr = -1 } },\n"), "adam: lr wants a number from 0 to 1000, not -1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @lr = \"x\" } },\n"), "adam: lr wants a number, not a string" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @beta1 = 1 } },\n"), "adam: beta1 wants a number from 0 to 0.999999, not 1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @beta2 = 1 } },\n"), "adam: beta2 wants a number from 0 to 0.999999999, not 1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @eps = 2 } },\n"), "adam: eps wants a number from 0 to 1, not 2" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @decay = 2 } },\n"), "adam: no argument is called 'decay'; known are: lr, beta1, beta2, eps" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @adam { 1 } },\n"), "adam: every argument has a name: adam { lr = ... }" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @adam(1) },\n"), "adam: wants its arguments in braces" },
    };
    REFUSE(refusals);
}

/* Arguments made elsewhere, and words called by another name, still point at a place in the file. */
static void of_tables_made_elsewhere(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local a = { filters = 0, kernel = 3 }\n" GRAPH("@conv2d(a)", CONV3), "conv2d: filters wants a whole number from 1 to 65536, not 0" },
        { "local c = @conv2d { filters = 5 }\n" GRAPH("c", CONV3), "conv2d: kernel is missing" },
        { "local c = conv2d\n" GRAPH("^c { filters = 5 }", CONV3), "conv2d: kernel is missing" },
        { "local function block(n)\n  return @conv2d { filters = n }\nend\n" GRAPH("block(5)", CONV3), "conv2d: kernel is missing" },
        { GRAPH("\tconv2d { filters = 5,\n\t\t@kernel = 0 }", CONV3), "conv2d: kernel wants" },
        { GRAPH("conv2d { activation = \"tanh\", filters = 5, --[[ kernel = 7 ]] @kernel = 0 }", CONV3), "conv2d: kernel wants" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_conv2d), cmocka_unit_test(of_dense_layers), cmocka_unit_test(of_layers_with_a_size), cmocka_unit_test(of_activations), cmocka_unit_test(of_training),
        cmocka_unit_test(of_tables_made_elsewhere),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
