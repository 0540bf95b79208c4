/* Wrong arguments of every word of the graph language but convolutions (test_convolutions.c):
   unknown, missing, without a name, of the wrong type, out of range. */
#include "cases.h"
#include "refusal.h"

static void of_group_norm(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "group_norm { @epsilon = 1e-3 }", CONV3),
          "group_norm: no argument is called 'epsilon'; known are: groups, eps, name" },
        { GRAPH(CONV5 "group_norm { @eps = 0 }", CONV3),
          "group_norm: eps wants a number from 1e-12 to 1, not 0" },
        { GRAPH(CONV5 "layer_norm { @groups = 1 }", CONV3),
          "layer_norm: no argument is called 'groups'; known are: eps, name, trainable" },
        { GRAPH(CONV5 "layer_norm { @eps = 2 }", CONV3),
          "layer_norm: eps wants a number from 1e-12 to 1, not 2" },
        { GRAPH(CONV5 "flatten {}, @instance_norm {}", CONV3),
          "instance_norm: wants an image of height x width x channels, but encoder.flatten1 gives "
          "320; put reshape" },
        { GRAPH(CONV5 "prelu { @alpha = 0.25 }", CONV3),
          "prelu: no argument is called 'alpha'; known are: name, trainable" },
        { GRAPH(CONV5 "softmax { @axis = 1 }", CONV3),
          "softmax: no argument is called 'axis'; known are: name, trainable" },
        { GRAPH(CONV5 "@LayerNormalization {}", CONV3),
          "unknown word 'LayerNormalization'; here that is layer_norm {}" },
        { GRAPH(CONV5 "@InstanceNorm2d {}", CONV3),
          "unknown word 'InstanceNorm2d'; did you mean instance_norm?" },
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

static void of_gaussian_sample(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "@gaussian_sample {}", CONV3),
          "gaussian_sample: the first half of what comes in are means, the second log-variances, "
          "but encoder.conv1 gives 5 channels; give it an even number" },
        { GRAPH(CONV5 "flatten {}, dense { units = 7 }, @gaussian_sample {}", CONV3),
          "gaussian_sample: the first half of what comes in are means, the second log-variances, "
          "but encoder.dense1 gives 7 units; give it an even number" },
        { GRAPH("conv2d { filters = 4, kernel = 3 }, gaussian_sample { @kl_weight = -1 }", CONV3),
          "gaussian_sample: kl_weight wants a number from 0 to 1000000, not -1" },
        { GRAPH("conv2d { filters = 4, kernel = 3 }, gaussian_sample { @warmup = -1 }", CONV3),
          "gaussian_sample: warmup wants a number from 0 to 1000000, not -1" },
    };
    REFUSE(refusals);
}

/* trainable is of the part around it, too. */
static void of_what_any_layer_may_have(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("conv2d { filters = 3, kernel = 3, @activity_l1 = -1 }", CONV3),
          "conv2d: activity_l1 wants a number from 0 to 1000000, not -1" },
        { GRAPH(CONV5 "relu { @kernel_l2 = 1e-3 }", CONV3),
          "relu: has no kernel, so there is nothing to penalize; leave kernel_l2 out" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @trainable = 0 }", CONV3),
          "conv2d: trainable wants true or false, not a number" },
        { GRAPH(CONV5, "@trainable = \"no\", " CONV3),
          "sequential: trainable wants true or false, not a string" },
        { GRAPH("trainable = false, conv2d { filters = 5, kernel = 3, @trainable = true }", CONV3),
          "conv2d: trainable = true, but the part around it has trainable = false; take it from "
          "the part and give it to the layers that shall rest" },
        { "return @autoencoder \"net\" { input = { 8, 8, 3 },\n"
          "  encoder = sequential \"encoder\" { trainable = false, " CONV5 " },\n"
          "  decoder = sequential \"decoder\" { " CONV5 " trainable = false, " CONV3 " } }\n",
          "autoencoder: no layer is trained, as all that have parameters have trainable = false; "
          "take it from at least one of them, or from a part" },
        { "return autoencoder \"net\" { input = { 8, 8, 3 },\n"
          "  encoder = @sequential \"encoder\" { { trainable = false, " CONV5 " } },\n"
          "  decoder = sequential \"decoder\" { " CONV3 " } }\n",
          "encoder: wants a list of layers, but something in it is called 'trainable'" },
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
          "dense: no argument is called 'filters'; known are: units, activation, use_bias, "
          "tied, name" },
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
          "max_pool2d: size wants a whole number from 1 to 256, or two as { height, width }, not "
          "0" },
        { GRAPH(CONV5 "max_pool2d { @size = 257 }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 256, or two as { height, width }, not "
          "257" },
        { GRAPH(CONV5 "max_pool2d { @size = 1.5 }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 256, or two as { height, width }, not "
          "1.5" },
        { GRAPH(CONV5 "max_pool2d { @size = \"2\" }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 256, or two as { height, width }, not" },
        { GRAPH(CONV5 "max_pool2d { @size = { 2, 257 } }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 256, or two as { height, width }, not" },
        { GRAPH(CONV5 "max_pool2d { @size = 17 }", CONV3),
          "max_pool2d: a window of 17x17 has 289 places, more than 256; use a smaller size, or "
          "several pools one after the other" },
        { GRAPH(CONV5 "max_pool2d { @size = { 1, 257 } }", CONV3),
          "max_pool2d: size wants a whole number from 1 to 256, or two" },
        { GRAPH(CONV5 "max_pool2d { @stride = { 2, 0 } }", CONV3),
          "max_pool2d: stride wants a whole number from 1 to 255, or two" },
        { GRAPH(CONV5 "max_pool2d { @padding = \"Same\" }", CONV3),
          "max_pool2d: padding wants \"same\", \"valid\", a whole number from 0 to 255, { height, "
          "width } or { top, left, bottom, right }, not" },
        { GRAPH(CONV5 "avg_pool2d { @padding = { 1, 2, 3 } }", CONV3),
          "avg_pool2d: padding wants \"same\", \"valid\", a whole number from 0 to 63, { height, "
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
          "padding, dilation, groups, activation, use_bias, name, trainable, "
          "kernel_l1, kernel_l2, activity_l1, activity_l2; it "
          "belongs to the layer gelu: " },
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
          "global_clip_norm, clip_value, mirror, ema, optimizer, schedule, "
          "early_stopping" },
        { WITH(CONV5, CONV3, "  training = { @loss = \"mean\" },\n"),
          "training: loss wants one of \"mse\", \"mae\", \"bce\"" },
        { WITH(CONV5, CONV3, "  training = { loss = { mse = 1, @mean = 1 } },\n"),
          "training: no argument is called 'mean'; known are: mse, mae, " },
        { WITH(CONV5, CONV3, "  training = { loss = { @mse = -1 } },\n"),
          "training: mse wants a number from 0 to 1000000, not -1" },
        { WITH(CONV5, CONV3, "  training = { loss = { mse = 1, @mse { weight = 2 } } },\n"),
          "training: the loss mse stands there twice; give it once, with the sum of weights" },
        { WITH(CONV5, CONV3, "  training = { loss = { mae { @delta = 2 } } },\n"),
          "mae: no argument is called 'delta'; known are: weight" },
        { WITH(CONV5, CONV3, "  training = { loss = { @adam {} } },\n"),
          "training: adam is no loss; loss wants \"mse\", " },
        { WITH(CONV5, CONV3, "  training = { @loss = { \"mse\" } },\n"),
          "training: entry 1 of loss is no loss with its numbers; loss wants \"mse\", " },
        { WITH(CONV5, CONV3, "  training = { @loss = { mse = 0, mae = 0 } },\n"),
          "training: loss names no loss with a weight above 0; it wants \"mse\", " },
        { WITH(CONV5, CONV3, "  training = { @loss = {} },\n"),
          "training: loss names no loss with a weight above 0" },
        { WITH(CONV5, CONV3, "  training = { @loss = mse },\n"), "training: loss " },
        { WITH(CONV5, CONV3, "  training = { loss = huber { @delta = 0 } },\n"),
          "huber: delta wants a number from 1e-06 to 1000000, not 0" },
        { WITH(CONV5, CONV3, "  training = { @loss = \"ssim\" },\n"),
          "ssim: wants images of at least 11x11 pixels, since it compares windows of that size, "
          "but these are 8x8x3; take another loss, such as \"mse\", or larger images" },
        { WITH(CONV5, CONV3, "  training = { loss = { mse = 1, @ssim = 1 } },\n"),
          "ssim: wants images of at least 11x11 pixels" },
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
        { TRAINING("optimizer = sgd { @beta1 = 0.9 }"),
          "sgd: no argument is called 'beta1'; known are: lr, momentum, nesterov" },
        { TRAINING("optimizer = sgd { @nesterov = 1 }"),
          "sgd: nesterov wants true or false, not a number" },
        { TRAINING("optimizer = adagrad { @initial_accumulator = -1 }"),
          "adagrad: initial_accumulator wants a number from 0 to 1000000, not -1" },
        { TRAINING("optimizer = adadelta { @rho = 1 }"),
          "adadelta: rho wants a number from 0 to 0.999999, not 1" },
        { TRAINING("optimizer = nadam { @beta2 = 1 }"),
          "nadam: beta2 wants a number from 0 to 0.999999999, not 1" },
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
          "cosine: a warmup of 5 epochs leaves nothing of 5; use a shorter warmup or more epochs" },
        { TRAINING("epochs = 3, schedule = cosine { @warmup = 4 }"),
          "cosine: a warmup of 4 epochs leaves nothing of 3" },
        { TRAINING("optimizer = sgd { lr = 0.1 }, schedule = cosine { @min_lr = 0.2 }"),
          "cosine: min_lr 0.2 is above the optimizer's lr 0.1; use a smaller min_lr or a larger "
          "lr" },
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
        { TRAINING("@ema = 1"), "training: ema wants a number from 0 to 0.999999, not 1" },
        { TRAINING("@ema = true"), "training: ema wants a number, not a boolean" },
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
        cmocka_unit_test(of_group_norm),
        cmocka_unit_test(of_batch_norm),
        cmocka_unit_test(of_gaussian_sample),
        cmocka_unit_test(of_what_any_layer_may_have),
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
