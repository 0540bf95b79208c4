/* Wrong arguments of every word of the graph language: unknown, missing, without a name, of the
   wrong type, out of range. */
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
          "padding, output_padding, dilation, groups, activation, use_bias, name" },
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

static void of_group_norm(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "group_norm { @epsilon = 1e-3 }", CONV3),
          "group_norm: no argument is called 'epsilon'; known are: groups, eps, name" },
        { GRAPH(CONV5 "group_norm { @eps = 0 }", CONV3),
          "group_norm: eps wants a number from 1e-12 to 1, not 0" },
        { GRAPH(CONV5 "@group_norm {}", CONV3),
          "group_norm: 5 channels do not fall into 32 groups; groups must divide them: 1, 5" },
        { GRAPH("conv2d { filters = 12, kernel = 3 }, group_norm { @groups = 8 }", CONV3),
          "group_norm: 12 channels do not fall into 8 groups; groups must divide them: 1, 2, 3, 4, "
          "6, 12" },
        { GRAPH(CONV5 "@GroupNorm {}", CONV3),
          "unknown word 'GroupNorm'; did you mean group_norm?\n" },
    };
    REFUSE(refusals);
}

static void of_batch_norm(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "batch_norm { @epsilon = 1e-3 }", CONV3),
          "batch_norm: no argument is called 'epsilon'; known are: momentum, eps, over, name" },
        { GRAPH(CONV5 "batch_norm { @eps = 0 }", CONV3),
          "batch_norm: eps wants a number from 1e-12 to 1, not 0" },
        { GRAPH(CONV5 "batch_norm { @momentum = 1.01 }", CONV3),
          "batch_norm: momentum wants a number from 0 to 1, not 1.01" },
        { GRAPH(CONV5 "batch_norm { @momentum = -0.1 }", CONV3),
          "batch_norm: momentum wants a number from 0 to 1, not -0.1" },
        { GRAPH(CONV5 "batch_norm { @over = 0 }", CONV3),
          "batch_norm: over wants \"batch\" or a whole number from 1 to 65536, not 0" },
        { GRAPH(CONV5 "batch_norm { @over = 2.5 }", CONV3),
          "batch_norm: over wants \"batch\" or a whole number from 1 to 65536, not 2.5" },
        { GRAPH(CONV5 "batch_norm { @over = \"all\" }", CONV3),
          "batch_norm: over wants \"batch\" or a whole number, not a string" },
        { GRAPH(CONV5 "batch_norm { over = 4 }", CONV3 "batch_norm { @over = 8 },"),
          "batch_norm: over = 8, but a layer before takes its statistics over 4 images; give all "
          "batch_norm of a network the same" },
        { GRAPH(CONV5 "batch_norm { over = 4 }", CONV3 "@batch_norm {},"),
          "batch_norm: over = \"batch\", but a layer before takes its statistics over 4 images" },
        { GRAPH(CONV5 "batch_norm {}", CONV3 "batch_norm { @over = 1 },"),
          "batch_norm: over = 1, but a layer before takes its statistics over the batch" },
        { GRAPH(CONV5 "@BatchNormalization {}", CONV3),
          "unknown word 'BatchNormalization'; here that is batch_norm {}\n" },
        { GRAPH(CONV5 "@batchnorm {}", CONV3),
          "unknown word 'batchnorm'; did you mean batch_norm?\n" },
        { GRAPH(CONV5 "@BatchNorm2d(5)", CONV3),
          "unknown word 'BatchNorm2d'; did you mean batch_norm?\n" },
        { GRAPH(CONV5 "@SyncBatchNorm {}", CONV3),
          "unknown word 'SyncBatchNorm'; did you mean batch_norm?\n" },
        { GRAPH(CONV5 "@batch_nrom {}", CONV3),
          "unknown word 'batch_nrom'; did you mean batch_norm?\n" },
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
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = \"ReLU\" }", CONV3),
          "conv2d: activation wants one of \"relu\", \"leaky_relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @activation = relu }", CONV3),
          "conv2d: activation wants one of \"relu\"" },
        { GRAPH("conv2d { filters = 5, kernel = 3, activation = \"leaky_relu\", @slope = 0.1 }",
                CONV3),
          "conv2d: no argument is called 'slope'; known are: filters, kernel, stride, padding, "
          "dilation, groups, activation, use_bias, name; it belongs to the layer leaky_relu: "
          "remove activation and put leaky_relu { slope = ... } after this one\n" },
        { GRAPH("flatten {}, dense { units = 5, @slope = 0.1 }", CONV3),
          "dense: no argument is called 'slope'; known are: units, activation, use_bias, name; it "
          "belongs to the layer leaky_relu: " },
        { GRAPH("conv2d { filters = 5, kernel = 3, @size = 2 }", CONV3),
          "conv2d: no argument is called 'size'; known are: filters, kernel, stride, padding, "
          "dilation, groups, activation, use_bias, name\n" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = 1 }", CONV3),
          "conv2d: use_bias wants true or false, not a number" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @use_bias = \"true\" }", CONV3),
          "conv2d: use_bias wants true or false, not a string" },
    };
    REFUSE(refusals);
}

static void of_dense_layers(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("flatten {}, @dense {}", CONV3), "dense: units is missing" },
        { GRAPH("flatten {}, @dense { 5 }", CONV3),
          "dense: every argument has a name: dense { units = ... }" },
        { GRAPH("flatten {}, dense { @filters = 5 }", CONV3),
          "dense: no argument is called 'filters'; known are: units, activation, use_bias, name" },
        { GRAPH("flatten {}, dense { @units = 0 }", CONV3),
          "dense: units wants a whole number from 1 to 1048576, not 0" },
        { GRAPH("flatten {}, dense { @units = 2.5 }", CONV3),
          "dense: units wants a whole number from 1 to 1048576, not 2.5" },
        { GRAPH("flatten {}, dense { units = 5, @activation = \"swish\" }", CONV3),
          "dense: activation wants one of \"relu\"" },
        { GRAPH("flatten {}, dense { units = 5, @use_bias = 0 }", CONV3),
          "dense: use_bias wants true or false, not a number" },
        { GRAPH("flatten { @size = 2 }", CONV3),
          "flatten: no argument is called 'size'; known are: name" },
        { GRAPH("@reshape {}", CONV3), "reshape: shape is missing" },
        { GRAPH("@reshape { { 8, 8, 3 } }", CONV3),
          "reshape: every argument has a name: reshape { shape = ... }" },
        { GRAPH("reshape { @shape = 192 }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers from 1 to 1048576" },
        { GRAPH("reshape { @shape = { 8, 24 } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, 3, 1 } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, \"3\" } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 0, 8, 3 } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 0/0, 3 } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
        { GRAPH("reshape { @shape = { 8, 8, 3, name = 1 } }", CONV3),
          "reshape: shape wants { height, width, channels }, whole numbers" },
    };
    REFUSE(refusals);
}

static void of_layers_with_a_size(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "max_pool2d { @pool = 2 }", CONV3),
          "max_pool2d: no argument is called 'pool'; known are: size, stride, padding, name" },
        { GRAPH(CONV5 "@max_pool2d { 2 }", CONV3),
          "max_pool2d: every argument has a name: max_pool2d { size = ... }" },
        { GRAPH(CONV5 "max_pool2d { @size = 0 }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 16, or two as { height, width }, not "
          "0" },
        { GRAPH(CONV5 "max_pool2d { @size = 17 }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 16, or two as { height, width }, not "
          "17" },
        { GRAPH(CONV5 "max_pool2d { @size = 1.5 }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 16, or two as { height, width }, not "
          "1.5" },
        { GRAPH(CONV5 "max_pool2d { @size = \"2\" }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 16, or two as { height, width }, not" },
        { GRAPH(CONV5 "max_pool2d { @size = { 2, 17 } }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 16, or two as { height, width }, not" },
        { GRAPH(CONV5 "max_pool2d { @stride = { 2, 0 } }", CONV3),
          "max_pool2d: stride wants a whole number from 1 to 255, or two" },
        { GRAPH(CONV5 "max_pool2d { @padding = \"Same\" }", CONV3),
          "max_pool2d: padding wants \"valid\", \"same\", a whole number from 0 to 15, { height, "
          "width } or { top, left, bottom, right }, not" },
        { GRAPH(CONV5 "avg_pool2d { @padding = { 1, 2, 3 } }", CONV3),
          "avg_pool2d: padding wants \"valid\", \"same\", a whole number from 0 to 63, { height, "
          "width } or" },
        { GRAPH(CONV5 "@max_pool2d(2)", CONV3), "max_pool2d: wants its arguments in braces" },
        { GRAPH(CONV5 "avg_pool2d { @size = 65 }", CONV3),
          "avg_pool2d: size wants a whole number from 1 to 64, or two as { height, width }, not "
          "65" },
        { GRAPH(CONV5 "global_avg_pool2d { @size = 2 }", CONV3),
          "global_avg_pool2d: no argument is called 'size'; known are: name" },
        { GRAPH(CONV5, "upsample2d { @factor = 2 }, " CONV3),
          "upsample2d: no argument is called 'factor'; known are: size, interpolation, name" },
        { GRAPH(CONV5, "upsample2d { @size = 0 }, " CONV3),
          "upsample2d: size wants a whole number from 1 to 64, or two as { height, width }, not "
          "0" },
        { GRAPH(CONV5, "upsample2d { @size = 65 }, " CONV3),
          "upsample2d: size wants a whole number from 1 to 64, or two as { height, width }, not "
          "65" },
        { GRAPH(CONV5, "upsample2d { @size = {} }, " CONV3),
          "upsample2d: size wants a whole number from 1 to 64, or two as { height, width }, not "
          "this list" },
        { GRAPH(CONV5, "@upsample2d { 2 }, " CONV3), "upsample2d: every argument has a name" },
    };
    REFUSE(refusals);
}

static void of_activations(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "relu { @slope = 0.1 }", CONV3),
          "relu: no argument is called 'slope'; known are: name" },
        { GRAPH(CONV5 "@relu { 1 }", CONV3),
          "relu: every argument has a name: relu { name = ... }" },
        { GRAPH(CONV5 "@relu()", CONV3), "relu: wants its arguments in braces" },
        { GRAPH(CONV5 "leaky_relu { @slope = \"0.1\" }", CONV3),
          "leaky_relu: slope wants a number, not a string" },
        { GRAPH(CONV5 "leaky_relu { @slope = -0.1 }", CONV3),
          "leaky_relu: slope wants a number from 0 to 1, not -0.1" },
        { GRAPH(CONV5 "leaky_relu { @slope = 1.1 }", CONV3),
          "leaky_relu: slope wants a number from 0 to 1, not 1.1" },
        { GRAPH(CONV5 "leaky_relu { @alpha = 0.1 }", CONV3),
          "leaky_relu: no argument is called 'alpha'; known are: slope, name" },
        { GRAPH(CONV5 "sigmoid { @x = 1 }", CONV3), "sigmoid: no argument is called 'x'" },
        { GRAPH(CONV5 "tanh { @x = 1 }", CONV3), "tanh: no argument is called 'x'" },
        { GRAPH(CONV5 "gelu { @approximate = 1 }", CONV3),
          "gelu: approximate wants true or false, not a number" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @approximate = true }", CONV3),
          "conv2d: no argument is called 'approximate'; known are: filters, kernel, stride, "
          "padding, dilation, groups, activation, use_bias, name; it belongs to the layer gelu: " },
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
        { WITH(CONV5, CONV3, "  @training = 1,\n"),
          "autoencoder: training wants { loss = ..., optimizer = ..." },
        { WITH(CONV5, CONV3, "  training = { @los = \"mse\" },\n"),
          "training: no argument is called 'los'; known are: loss, batch, epochs, clip_norm, "
          "global_clip_norm, clip_value, mirror, optimizer, schedule, "
          "early_stopping" },
        { WITH(CONV5, CONV3, "  training = { @loss = \"mean\" },\n"),
          "training: loss wants one of \"mse\", \"mae\", \"bce\"" },
        { WITH(CONV5, CONV3, "  @training = { 1 },\n"),
          "training: every argument has a name: training { loss = ... }" },
        { WITH(CONV5, CONV3, "  training = { @loss = 1 },\n"),
          "training: loss wants one of \"mse\"" },
        { WITH(CONV5, CONV3, "  training = { @batch = 0 },\n"),
          "training: batch wants a whole number from 1 to 1048576, not 0" },
        { WITH(CONV5, CONV3, "  training = { @batch = \"64\" },\n"),
          "training: batch wants a whole number, not a string" },
        { WITH(CONV5, CONV3, "  training = { batch = 8, @epochs = 0.5 },\n"),
          "training: epochs wants a whole number from 1 to 16777216, not 0.5" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = \"adam\" },\n"),
          "training: optimizer wants one of the optimizers, such as adam" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = conv2d { filters = 1, kernel = 1 } },\n"),
          "training: optimizer wants one of the optimizers" },
        { WITH(CONV5, CONV3, "  training = { @optimizer = adam },\n"),
          "training: optimizer wants one of the optimizers" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @lr = -1 } },\n"),
          "adam: lr wants a number from 0 to 1000, not -1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @lr = \"x\" } },\n"),
          "adam: lr wants a number, not a string" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @beta1 = 1 } },\n"),
          "adam: beta1 wants a number from 0 to 0.999999, not 1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @beta2 = 1 } },\n"),
          "adam: beta2 wants a number from 0 to 0.999999999, not 1" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @eps = 2 } },\n"),
          "adam: eps wants a number from 0 to 1, not 2" },
        { WITH(CONV5, CONV3, "  training = { optimizer = adam { @decay = 2 } },\n"),
          "adam: no argument is called 'decay'; known are: lr, beta1, beta2, eps" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @adam { 1 } },\n"),
          "adam: every argument has a name: adam { lr = ... }" },
        { WITH(CONV5, CONV3, "  training = { optimizer = @adam(1) },\n"),
          "adam: wants its arguments in braces" },
    };
    REFUSE(refusals);
}

/* Arguments made elsewhere, and words called by another name, still point at a place in the
   file. */
#define TRAINING(inside_) WITH(CONV5, CONV3, "  training = { " inside_ " },\n")

static void of_optimizers(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { TRAINING("optimizer = adamw { @weight_decay = -1 }"),
          "adamw: weight_decay wants a number from 0 to 1000, not -1" },
        { TRAINING("optimizer = adamw { @decay = 0.1 }"),
          "adamw: no argument is called 'decay'; known are: lr, beta1, beta2, eps, weight_decay" },
        { TRAINING("optimizer = adamw { @beta1 = 1 }"),
          "adamw: beta1 wants a number from 0 to 0.999999, not 1" },
        { TRAINING("optimizer = sgd { @momentum = 1 }"),
          "sgd: momentum wants a number from 0 to 0.999999, not 1" },
        { TRAINING("optimizer = sgd { @lr = \"fast\" }"), "sgd: lr wants a number, not a string" },
        { TRAINING("optimizer = sgd { @nesterov = true }"),
          "sgd: no argument is called 'nesterov'; known are: lr, momentum" },
        { TRAINING("@optimizer = cosine {}"),
          "training: optimizer wants one of the optimizers, such as adam" },
    };
    REFUSE(refusals);
}

static void of_schedules(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { TRAINING("@schedule = \"cosine\""),
          "training: schedule wants one of the schedules, such as cosine { warmup = 2 }" },
        { TRAINING("@schedule = cosine"), "training: schedule wants one of the schedules" },
        { TRAINING("@schedule = sgd {}"), "training: schedule wants one of the schedules" },
        { TRAINING("schedule = @warmup { epochs = 2 }"), "unknown word 'warmup'" },
        { TRAINING("schedule = constant { @warmup = -1 }"),
          "constant: warmup wants a number from 0 to 1000000, not -1" },
        { TRAINING("schedule = constant { @epochs = 2 }"),
          "constant: no argument is called 'epochs'; known are: warmup" },
        { TRAINING("schedule = step { @every = 0 }"),
          "step: every wants a whole number from 1 to 16777216, not 0" },
        { TRAINING("schedule = step { @every = 1.5 }"),
          "step: every wants a whole number from 1 to 16777216, not 1.5" },
        { TRAINING("schedule = step { @factor = 2 }"),
          "step: factor wants a number from 0 to 1, not 2" },
        { TRAINING("schedule = cosine { @epochs = 0 }"),
          "cosine: epochs wants a whole number from 1 to 16777216, not 0" },
        { TRAINING("schedule = cosine { epochs = 5, @warmup = 5 }"),
          "cosine: a warmup of 5 epochs leaves nothing of 5" },
        { TRAINING("epochs = 3, schedule = cosine { @warmup = 4 }"),
          "cosine: a warmup of 4 epochs leaves nothing of 3" },
        { TRAINING("optimizer = sgd { lr = 0.1 }, schedule = cosine { @min_lr = 0.2 }"),
          "cosine: min_lr 0.2 is above the optimizer's lr 0.1" },
        { TRAINING("schedule = reduce_on_plateau { @min_lr = 0.2 }"),
          "reduce_on_plateau: min_lr 0.2 is above the optimizer's lr 0.001" },
        { TRAINING("schedule = reduce_on_plateau { @factor = 1 }"),
          "reduce_on_plateau: factor wants a number from 0 to 0.999999, not 1" },
        { TRAINING("schedule = reduce_on_plateau { @patience = 0 }"),
          "reduce_on_plateau: patience wants a whole number from 1" },
        { TRAINING("schedule = reduce_on_plateau { @cooldown = -1 }"),
          "reduce_on_plateau: cooldown wants a whole number from 0" },
        { TRAINING("schedule = @reduce_on_plateau { 3 }"),
          "reduce_on_plateau: every argument has a name" },
    };
    REFUSE(refusals);
}

static void of_the_rest_of_training(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { TRAINING("@clip_norm = -1"),
          "training: clip_norm wants a number from 0 to 1000000, not -1" },
        { TRAINING("@global_clip_norm = \"1\""),
          "training: global_clip_norm wants a number, not a string" },
        { TRAINING("@clip_value = 0/0"),
          "training: clip_value wants a number from 0 to 1000000, not " },
        { TRAINING("clip_norm = 1, @clip_value = 1"),
          "training: clip_norm, global_clip_norm and clip_value exclude each other" },
        { TRAINING("clip_norm = 1, @global_clip_norm = 1"),
          "training: clip_norm, global_clip_norm and clip_value exclude each other" },
        { TRAINING("@mirror = 1"), "training: mirror wants true or false, not a number" },
        { TRAINING("@early_stopping = 5"),
          "training: early_stopping wants { patience = ..., min_delta = ... }" },
        { TRAINING("@early_stopping = {}"), "early_stopping: patience is missing" },
        { TRAINING("early_stopping = { @patience = 0 }"),
          "early_stopping: patience wants a whole number from 1 to 16777216, not 0" },
        { TRAINING("early_stopping = { patience = 5, @min_delta = -1 }"),
          "early_stopping: min_delta wants a number from 0 to 1000000, not -1" },
        { TRAINING("early_stopping = { patience = 5, @delta = 1 }"),
          "early_stopping: no argument is called 'delta'; known are: patience, min_delta" },
    };
    REFUSE(refusals);
}

static void of_layers_of_training(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@gaussian_noise {}, " CONV5, CONV3), "gaussian_noise: stddev is missing" },
        { GRAPH("gaussian_noise { @stddev = -1 }, " CONV5, CONV3),
          "gaussian_noise: stddev wants a number from 0 to 1000, not -1" },
        { GRAPH("gaussian_noise { @sigma = 1 }, " CONV5, CONV3),
          "gaussian_noise: no argument is called 'sigma'; known are: stddev, name" },
        { GRAPH("@dropout {}, " CONV5, CONV3), "dropout: rate is missing" },
        { GRAPH("dropout { @rate = 1 }, " CONV5, CONV3),
          "dropout: rate wants a number from 0 to 0.999, not 1" },
        { GRAPH("dropout { @rate = \"half\" }, " CONV5, CONV3),
          "dropout: rate wants a number, not a string" },
    };
    REFUSE(refusals);
}

static void of_tables_made_elsewhere(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local a = { filters = 0, kernel = 3 }\n" GRAPH("@conv2d(a)", CONV3),
          "conv2d: filters wants a whole number from 1 to 65536, not 0" },
        { "local c = @conv2d { filters = 5 }\n" GRAPH("c", CONV3), "conv2d: kernel is missing" },
        { "local c = conv2d\n" GRAPH("^c { filters = 5 }", CONV3), "conv2d: kernel is missing" },
        { "local function block(n)\n  return @conv2d { filters = n }\nend\n" GRAPH("block(5)",
                                                                                   CONV3),
          "conv2d: kernel is missing" },
        { GRAPH("\tconv2d { filters = 5,\n\t\t@kernel = 0 }", CONV3), "conv2d: kernel wants" },
        { GRAPH("conv2d { activation = \"tanh\", filters = 5, --[[ kernel = 7 ]] @kernel = 0 }",
                CONV3),
          "conv2d: kernel wants" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_conv2d_transpose),
        cmocka_unit_test(of_group_norm),
        cmocka_unit_test(of_batch_norm),
        cmocka_unit_test(of_conv2d),
        cmocka_unit_test(of_dense_layers),
        cmocka_unit_test(of_layers_with_a_size),
        cmocka_unit_test(of_activations),
        cmocka_unit_test(of_training),
        cmocka_unit_test(of_optimizers),
        cmocka_unit_test(of_schedules),
        cmocka_unit_test(of_the_rest_of_training),
        cmocka_unit_test(of_layers_of_training),
        cmocka_unit_test(of_tables_made_elsewhere),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
