/* Wrong models: shapes that do not meet, parts and names, the input, what the file returns. */
#include "cases.h"
#include "refusal.h"

#define INPUT(input_)                                                                   \
    "return autoencoder \"net\" {\n  " input_ "\n  encoder = sequential \"e\" { " CONV5 \
    " },\n  decoder = sequential \"d\" { " CONV3 " },\n}\n"
#define PARTS(first_, rest_) "return " first_ " {\n  input = { 8, 8, 3 },\n" rest_ "}\n"
#define ENCODER "  encoder = sequential \"e\" { " CONV5 " },\n"
#define DECODER "  decoder = sequential \"d\" { " CONV3 " },\n"

static void shapes_that_do_not_meet(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@conv2d { filters = 5, kernel = 9, padding = \"valid\" },", CONV3),
          "conv2d: a 9x9 kernel with padding \"valid\" does not fit into 8x8" },
        { GRAPH("@conv2d { filters = 5, kernel = { 3, 5 }, dilation = { 1, 3 }, padding = { 0, 2 "
                "} },",
                CONV3),
          "conv2d: a 3x5 kernel, which spans 3x13, does not fit into 8x12, padding included; use "
          "padding = \"same\" or a smaller kernel or dilation" },
        { GRAPH(CONV5 "@max_pool2d { size = 9 },", CONV3),
          "max_pool2d: a window of 9x9 does not fit into 8x8x5; use size <= 8 or a larger "
          "input\n" },
        { GRAPH(CONV5 "max_pool2d { size = 4 },", "@max_pool2d { size = 3 }," CONV3),
          "max_pool2d: a window of 3x3 does not fit into 2x2x5; use size <= 2 or" },
        { GRAPH(CONV5 "@avg_pool2d { size = 9 },", CONV3),
          "avg_pool2d: a window of 9x9 does not fit into 8x8x5; use size <= 8 or" },
        { GRAPH(CONV5 "@avg_pool2d { size = { 3, 9 }, stride = 1 },", CONV3),
          "avg_pool2d: a window of 3x9 does not fit into 8x8x5; use size <= { 8, 8 } or a larger "
          "input\n" },
        { GRAPH(CONV5 "@max_pool2d { size = 12, padding = { 1, 0 } },", CONV3),
          "max_pool2d: a window of 12x12 does not fit into 8x8x5 padded to 10x8; use size <= 8" },
        { GRAPH(CONV5 "max_pool2d { size = { 2, 3 }, @padding = { 0, 0, 2, 2 } },", CONV3),
          "max_pool2d: with 2 rows of padding on one side a window of 2 rows can lie on padding "
          "alone; use at most 1 there, or a larger size\n" },
        { GRAPH(CONV5 "avg_pool2d { size = { 5, 3 }, @padding = 3 },", CONV3),
          "avg_pool2d: with 3 columns of padding on one side a window of 3 columns can lie" },
        { GRAPH("flatten {}, @global_max_pool2d {},", CONV3),
          "global_max_pool2d: wants an image of height x width x channels, but encoder.flatten1 "
          "gives 192" },
        { GRAPH(CONV5 "global_avg_pool2d {},", "@conv2d { filters = 3, kernel = 3 },"),
          "conv2d: wants an image of height x width x channels, but encoder.gpool1 gives 5" },
        { GRAPH(CONV5, "@conv2d_transpose { filters = 3, kernel = 3 },"),
          "conv2d_transpose: the decoder ends in 16x16x3 but the input is 8x8x3" },
        { GRAPH(CONV5, "@conv2d { filters = 4, kernel = 3 },"),
          "conv2d: the decoder ends in 8x8x4 but the input is 8x8x3" },
        { GRAPH(CONV5 "max_pool2d {},", CONV3 "@relu {},"),
          "relu: the decoder ends in 4x4x3 but the input is 8x8x3" },
        { GRAPH(CONV5, CONV3 "@upsample2d { size = 3 },"),
          "upsample2d: the decoder ends in 24x24x3 but the input is 8x8x3" },
        { GRAPH(CONV5, CONV3 "@conv2d { filters = 3, kernel = 3, padding = \"valid\" },"),
          "conv2d: the decoder ends in 6x6x3" },
        { GRAPH("@dense { units = 5 },", CONV3),
          "dense: wants a flat input, but input gives 8x8x3; put flatten {} before it" },
        { GRAPH(CONV5 "@dense { units = 5 },", CONV3),
          "dense: wants a flat input, but encoder.conv1 gives 8x8x5; put flatten {} before it" },
        { GRAPH("flatten {}, dense { units = 5 },", "@conv2d { filters = 3, kernel = 3 },"),
          "conv2d: wants an image of height x width x channels, but encoder.dense1 gives 5; put "
          "reshape { shape = { h, w, c } } before it, with h * w * c = 5\n" },
        { GRAPH("flatten {}, @max_pool2d {},", CONV3),
          "max_pool2d: wants an image of height x width x channels, but encoder.flatten1 gives "
          "192" },
        { GRAPH("flatten {}, @upsample2d {},", CONV3),
          "upsample2d: wants an image of height x width x channels, but encoder.flatten1 gives "
          "192" },
        { GRAPH("flatten {}, dense { units = 5 },", "@dense { units = 192 },"),
          "dense: the decoder ends in 192 but the input is 8x8x3" },
        { GRAPH("flatten {}, dense { units = 5 },",
                "dense { units = 192 }, reshape { @shape = { 8, 8, 4 } },"),
          "reshape: 8x8x4 has 256 values, but decoder.dense1 gives 192; both must be equal\n" },
        { GRAPH(CONV5, "reshape { @shape = { 8, 8, 3 } }," CONV3),
          "reshape: 8x8x3 has 192 values, but encoder.conv1 gives 8x8x5, 320 values; both "
          "must be equal\n" },
    };
    REFUSE(refusals);
}

/* A graph of that input. */
#define OF(input_, encoder_, decoder_)                                  \
    "return autoencoder \"net\" {\n  input = " input_                   \
    ",\n  encoder = sequential \"encoder\" {\n    " encoder_ "\n  },\n" \
    "  decoder = sequential \"decoder\" {\n    " decoder_ "\n  },\n}\n"
#define GIVES_BACK "; an autoencoder's output has its input's shape"
#define STRIDE2 "conv2d { filters = 5, kernel = 3, stride = 2 },"

/* Why the sizes do not meet, and which would: only where a pool or a stride is the reason. */
static void sizes_that_nothing_divides(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { OF("{ 17, 17, 3 }", CONV5 "max_pool2d {},",
             "upsample2d {}, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 16x16x3 but the input is 17x17x3" GIVES_BACK
          "; encoder.pool1 reads 17x17 and drops the rows and columns that fill no window; "
          "make the input's height and width divisible by 2\n" },
        { OF("{ 20, 24, 3 }", CONV5 "avg_pool2d {}," CONV5 "avg_pool2d {}," CONV5 "avg_pool2d {},",
             "upsample2d { size = 8 }, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 16x24x3 but the input is 20x24x3" GIVES_BACK
          "; encoder.pool3 reads 5x6 and drops the rows and columns that fill no window; "
          "make the input's height divisible by 8\n" },
        { OF("{ 20, 23, 3 }", CONV5 "max_pool2d { size = { 1, 3 } }," CONV5,
             "upsample2d { size = 3 }, @max_pool2d { size = { 3, 1 } },"),
          "max_pool2d: the decoder ends in 20x21x5 but the input is 20x23x3" GIVES_BACK
          "; encoder.pool1 reads 20x23 and drops the rows and columns that fill no window; make "
          "the input's width divisible by 3\n" },
        { OF("{ 7, 8, 3 }", CONV5 "max_pool2d { padding = \"same\" },",
             "upsample2d {}, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 8x8x3 but the input is 7x8x3" GIVES_BACK
          "; encoder.pool1 reads 7x8 and its stride rounds up; make the input's height divisible "
          "by 2\n" },
        { OF("{ 9, 8, 3 }", CONV5 "avg_pool2d { size = 3, stride = 2, padding = 1 },",
             "upsample2d {}, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 10x8x3 but the input is 9x8x3" GIVES_BACK
          "; encoder.pool1 reads 9x8 and its stride rounds up; make the input's height" },
        { OF("{ 9, 8, 3 }", CONV5 "avg_pool2d { size = 3, stride = 2 },",
             "upsample2d {}, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 8x6x3 but the input is 9x8x3" GIVES_BACK "\n" },
        { OF("{ 16, 15, 3 }", STRIDE2, "@conv2d_transpose { filters = 3, kernel = 3 },"),
          "conv2d_transpose: the decoder ends in 16x16x3 but the input is 16x15x3" GIVES_BACK
          "; encoder.conv1 reads 16x15 and its stride rounds up; "
          "make the input's width divisible by 2\n" },
        { OF("{ 17, 16, 3 }", "conv2d { filters = 5, kernel = 4, stride = 2, padding = 1 },",
             "upsample2d {}, @conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 16x16x3 but the input is 17x16x3" GIVES_BACK
          "; encoder.conv1 reads 17x16 and its windows leave rows or columns over; make the "
          "input's height divisible by 2\n" },
        { OF("{ 16, 16, 3 }", "upsample2d {}, max_pool2d { size = 3 }," CONV5,
             "max_pool2d {}, @conv2d_transpose { filters = 3, kernel = 3, stride = 3 },"),
          "conv2d_transpose: the decoder ends in 15x15x3 but the input is 16x16x3" GIVES_BACK
          "; encoder.pool1 reads 32x32 and drops the rows and columns that fill no "
          "window; make the input's height and width divisible by 3\n" },
        { OF("{ 17, 17, 3 }", CONV5 "max_pool2d {},",
             "upsample2d {}, concat { @with = \"encoder.conv1\" }," CONV3),
          "concat: encoder.conv1 gives 17x17x5, but what comes in is 16x16x5; all but the channels "
          "must be equal; encoder.pool1 reads 17x17 and drops the rows and "
          "columns that fill no window; make the input's height and width divisible by 2\n" },
        { OF("{ 17, 17, 3 }", STRIDE2,
             "upsample2d {}, conv2d { filters = 3, kernel = 3 }, add { @with = \"input\" },"),
          "add: input gives 17x17x3, but what comes in is 18x18x3; both must be equal; "
          "encoder.conv1 reads 17x17 and its stride rounds up; make" },
        { OF("{ 17, 17, 3 }", CONV5 "max_pool2d {},", "@conv2d { filters = 3, kernel = 3 },"),
          "conv2d: the decoder ends in 8x8x3 but the input is 17x17x3" GIVES_BACK "\n" },
        { OF("{ 17, 17, 3 }", CONV5 "max_pool2d {},",
             "upsample2d {}, conv2d { filters = 3, kernel = 3 }, @conv2d { filters = 3, kernel = "
             "3, padding = \"valid\" },"),
          "conv2d: the decoder ends in 14x14x3 but the input is 17x17x3" GIVES_BACK "\n" },
        { OF("{ 17, 17, 3 }", "max_pool2d {}, flatten {}, dense { units = 192 },",
             "reshape { shape = { 8, 8, 3 } }, @upsample2d {},"),
          "upsample2d: the decoder ends in 16x16x3 but the input is 17x17x3" GIVES_BACK "\n" },
        { OF("{ 17, 17, 3 }", "max_pool2d {}, max_unpool2d { pool = \"encoder.pool1\" },",
             "@conv2d { filters = 4, kernel = 3 },"),
          "conv2d: the decoder ends in 17x17x4 but the input is 17x17x3" GIVES_BACK "\n" },
    };
    REFUSE(refusals);
}

static void the_input(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "return @autoencoder \"net\" { encoder = sequential \"e\" { " CONV5
          " }, decoder = sequential \"d\" { " CONV3 " } }\n",
          "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = 8,"), "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = { 8, 8 },"), "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = { 8, 8, 3, 1 },"),
          "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = { 8, 8, 0 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1 to 1048576" },
        { INPUT("@input = { 8, -8, 3 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1" },
        { INPUT("@input = { 8.5, 8, 3 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1" },
        { INPUT("@input = { \"8\", 8, 3 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1" },
        { INPUT("@input = { 8, 8, 1048577 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1" },
        { INPUT("@input = { 0/0, 8, 3 },"),
          "autoencoder: input wants { height, width, channels }, whole numbers from 1" },
        { INPUT("@input = { height = 8, width = 8, channels = 3 },"),
          "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = conv2d,"), "autoencoder: input wants { height, width, channels }" },
        { INPUT("@input = { 1048576, 1048576, 3 },"), "autoencoder: " },
    };
    REFUSE(refusals);
}

static void huge_tensors(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "return autoencoder \"net\" {\n  input = { 8192, 8192, 3 },\n  encoder = sequential "
          "\"e\" { @conv2d { filters = 65536, kernel = 1 } },\n"
          "  decoder = sequential \"d\" { " CONV3 " },\n}\n",
          "conv2d: " },
        { GRAPH("@conv2d { filters = 65536, kernel = 255 },", CONV3), "conv2d: " },
        { GRAPH(CONV5,
                "conv2d_transpose { filters = 1, kernel = 1, stride = 255 }, @conv2d_transpose { "
                "filters = 1, kernel = 1, stride = 255 },"),
          "conv2d_transpose: a tensor of 520200x520200x1 is too large" },
        { GRAPH("conv2d { filters = 65536, kernel = 1 }, @flatten {},", CONV3),
          "flatten: 8x8x65536 has 4194304 values; a flat value has at most 1048576" },
        { GRAPH("flatten {}, dense { units = 1048576 }, @dense { units = 1048576 },", CONV3),
          "dense: a tensor of 1048576x1048576 is too large" },
        { GRAPH(CONV5
                "upsample2d { size = 64 }, @upsample2d { size = 64 }, upsample2d { size = 64 },",
                CONV3),
          "upsample2d: " },
    };
    REFUSE(refusals);
}

static void the_parts(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { PARTS("@autoencoder \"net\"", DECODER), "autoencoder: encoder is missing" },
        { PARTS("@autoencoder \"net\"", ENCODER), "autoencoder: decoder is missing" },
        { PARTS("autoencoder \"net\"", "  @encoder = { " CONV5 " },\n" DECODER),
          "autoencoder: encoder wants sequential \"name\" { ... }" },
        { PARTS("autoencoder \"net\"", "  @encoder = 1,\n" DECODER),
          "autoencoder: encoder wants sequential \"name\" { ... }" },
        { PARTS("autoencoder \"net\"",
                "  @encoder = conv2d { filters = 1, kernel = 1 },\n" DECODER),
          "autoencoder: encoder wants sequential" },
        { PARTS("autoencoder \"net\"", "  @encoder = sequential \"e\",\n" DECODER),
          "autoencoder: encoder wants sequential" },
        { PARTS("autoencoder \"net\"", "  @encoder = sequential { " CONV5 " },\n" DECODER),
          "autoencoder: encoder wants sequential" },
        { PARTS("autoencoder \"net\"", "  encoder = @sequential \"\" { " CONV5 " },\n" DECODER),
          "sequential: a name of letters, digits and _" },
        { PARTS("autoencoder \"net\"", "  encoder = @sequential \"e\" {},\n" DECODER),
          "e: has no layer that computes anything; put one in, such as conv2d { filters = 8, "
          "kernel = 3 }\n" },
        { PARTS("autoencoder \"net\"", "  encoder = @sequential \"e\" { linear {} },\n" DECODER),
          "e: has no layer that computes anything" },
        { PARTS("autoencoder \"net\"",
                "  encoder = @sequential \"e\" { gaussian_noise { stddev = 1 } },\n" DECODER),
          "e: has no layer that computes" },
        { PARTS("autoencoder \"net\"",
                ENCODER "  decoder = @sequential \"d\" { dropout { rate = 0.5 } },\n"),
          "d: has no layer that computes" },
        { PARTS("autoencoder \"net\"", ENCODER
                "  decoder = @sequential \"d\" { flatten {}, reshape { shape = { 8, 8, 5 } } },\n"),
          "d: has no layer that computes anything" },
        { PARTS("autoencoder \"net\"", "  encoder = @sequential \"e\" { 1 },\n" DECODER),
          "e: layer 1 is a number; a layer is written conv2d { ... }" },
        { PARTS("autoencoder \"net\"",
                "  encoder = @sequential \"e\" { " CONV5 " function() end },\n" DECODER),
          "e: layer 2 is a function; a layer is written" },
        { PARTS("autoencoder \"net\"",
                "  encoder = @sequential \"e\" { " CONV5 " adam },\n" DECODER),
          "e: layer 2 is a function; a layer is written" },
        { PARTS("autoencoder \"net\"",
                "  encoder = @sequential \"e\" { " CONV5 " first = relu {} },\n" DECODER),
          "e: wants a list of layers, but something in it is called 'first'" },
        { PARTS("autoencoder \"net\"", "  encoder = @sequential \"e\" { " CONV5
                                       " [0.5] = relu {}, [1.5] = relu {} },\n" DECODER),
          "e: the list of layers has a hole" },
        { PARTS("autoencoder \"net\"",
                "  encoder = @sequential \"e\" { " CONV5 CONV5 " [1.5] = relu {} },\n" DECODER),
          "e: the list of layers has a hole" },
        { PARTS("autoencoder \"net\"", "  @encoder = sequential(5),\n" DECODER),
          "autoencoder: encoder wants sequential" },
        { PARTS("autoencoder \"net\"",
                "  encoder = sequential \"e\" { @sequential \"f\" { " CONV5 " } },\n" DECODER),
          "sequential: not a layer" },
        { PARTS("autoencoder \"net\"", "  encoder = sequential \"e\" { @adam {} },\n" DECODER),
          "adam: not a layer" },
        { PARTS("autoencoder \"net\"",
                "  @encodr = sequential \"e\" { " CONV5 " },\n" ENCODER DECODER),
          "autoencoder: no argument is called 'encodr'; known are: input, encoder, decoder, "
          "training" },
        { PARTS("@autoencoder \"net\"",
                "  encoder = sequential \"e\" { max_pool2d {} },\n  decoder = sequential \"d\" { "
                "upsample2d {} },\n"),
          "autoencoder: no layer has anything to learn; put in one that has weights, such as "
          "conv2d" },
        { PARTS("@autoencoder \"net\"", "  1,\n" ENCODER DECODER),
          "autoencoder: every argument has a name" },
    };
    REFUSE(refusals);
}

/* At the layer where its list stands in the file, else at the part. */
static void forgotten_braces(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "\n    max_pool2d {},\n    @flatten,\n    dense { units = 5 },", CONV3),
          "layer 3 of \"encoder\" is a function: write flatten {}\n" },
        { GRAPH(CONV5 "@relu", CONV3), "layer 2 of \"encoder\" is a function: write relu {}\n" },
        { GRAPH("@conv2d, " CONV5, CONV3),
          "layer 1 of \"encoder\" is a function: write conv2d { ... }\n" },
        { GRAPH(CONV5 "{ relu {}; { relu {}, @tanh; }, },", CONV3),
          "layer 2.2.2 of \"encoder\" is a function: write tanh {}\n" },
        { "local f = flatten\n" PARTS("autoencoder \"net\"",
                                      "  encoder = @sequential \"e\" { " CONV5 " f },\n" DECODER),
          "layer 2 of \"e\" is a function: write flatten {}\n" },
        { "local list = { relu }\n" PARTS(
              "autoencoder \"net\"", "  encoder = @sequential \"e\" { " CONV5 " list },\n" DECODER),
          "layer 2.1 of \"e\" is a function: write relu {}\n" },
        { "local s, list = sequential, { relu }\nlocal part = @sequential \"e\" (list)\n" PARTS(
              "autoencoder \"net\"", "  encoder = part,\n" DECODER),
          "layer 1 of \"e\" is a function: write relu {}\n" },
    };
    REFUSE(refusals);
}

static void names(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { PARTS("@autoencoder \"for\"", ENCODER DECODER),
          "autoencoder: 'for' is a word of C; choose another name" },
        { PARTS("@autoencoder \"main\"", ENCODER DECODER),
          "autoencoder: 'main' is a word of C; choose another name" },
        { PARTS("@autoencoder \"my net\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { PARTS("@autoencoder \"2net\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { PARTS("@autoencoder \"\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { PARTS("@autoencoder \"../net\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { PARTS("@autoencoder \"n\\0x\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { PARTS("@autoencoder \"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst\"", ENCODER DECODER),
          "autoencoder: a name of letters, digits and _" },
        { "return autoencoder {\n  input = { 8, 8, 3 },\n" ENCODER DECODER "^}\n",
          "the file returns an unfinished `autoencoder`" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @name = \"a b\" },", CONV3),
          "name: a name of letters, digits and _" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @name = \"int\" },", CONV3),
          "name: 'int' is a word of C" },
        { GRAPH("conv2d { filters = 5, kernel = 3, @name = 5 },", CONV3),
          "name: a name of letters, digits and _" },
        { GRAPH("conv2d { filters = 5, kernel = 3, name = \"a\" }, relu { @name = \"a\" },", CONV3),
          "relu: there is a layer called encoder.a already; give this one another name" },
        { GRAPH(
              "conv2d { filters = 5, kernel = 3, name = \"conv2\" }, @conv2d { filters = 5, kernel "
              "= 3 },",
              CONV3),
          "conv2d: there is a layer called encoder.conv2 already" },
        { GRAPH("conv2d { filters = 5, kernel = 3, activation = \"relu\" }, @conv2d { filters = 5, "
                "kernel = 3, use_bias = false, name = \"conv1_relu\" },",
                CONV3),
          "conv2d: the name encoder.conv1_relu is taken: caec derives it for another layer; choose "
          "another name" },
        { GRAPH(
              CONV5
              "add { with = { \"encoder.conv1\", \"encoder.conv1\" } }, @tanh { name = \"add1_1\" "
              "},",
              CONV3),
          "tanh: the name encoder.add1_1 is taken" },
        { "return autoencoder \"net\" {\n  input = { 8, 8, 3 },\n  encoder = sequential \"part\" "
          "{ " CONV5 " },\n  decoder = @sequential \"part\" { " CONV3 " },\n}\n",
          "sequential: both parts are called \"part\"; give one another name" },
    };
    REFUSE(refusals);
}

/* The name becomes that of a header, of CMake's targets and of C functions. */
static void models_that_hide_others(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { PARTS("@autoencoder \"stdint\"", ENCODER DECODER),
          "autoencoder: the name \"stdint\" would make a stdint.h that hides the header "
          "<stdint.h>; choose" },
        { PARTS("@autoencoder \"stdio\"", ENCODER DECODER),
          "autoencoder: the name \"stdio\" would make a stdio.h that hides" },
        { PARTS("@autoencoder \"StdDef\"", ENCODER DECODER),
          "autoencoder: the name \"StdDef\" would make a StdDef.h that hides" },
        { PARTS("@autoencoder \"assert\"", ENCODER DECODER),
          "autoencoder: the name \"assert\" would make" },
        { PARTS("@autoencoder \"wordexp\"", ENCODER DECODER),
          "autoencoder: the name \"wordexp\" would make" },
        { PARTS("@autoencoder \"features\"", ENCODER DECODER),
          "autoencoder: the name \"features\" would make" },
        { PARTS("@autoencoder \"jmorecfg\"", ENCODER DECODER),
          "autoencoder: the name \"jmorecfg\" would make" },
        { PARTS("@autoencoder \"zlib\"", ENCODER DECODER),
          "autoencoder: the name \"zlib\" would make" },
        { PARTS("@autoencoder \"m\"", ENCODER DECODER),
          "autoencoder: the name \"m\" means something else in the emitted C and its build" },
        { PARTS("@autoencoder \"caec_runtime\"", ENCODER DECODER),
          "autoencoder: the name \"caec_runtime\" means something else" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_that_do_not_meet),
        cmocka_unit_test(sizes_that_nothing_divides),
        cmocka_unit_test(the_input),
        cmocka_unit_test(huge_tensors),
        cmocka_unit_test(the_parts),
        cmocka_unit_test(forgotten_braces),
        cmocka_unit_test(names),
        cmocka_unit_test(models_that_hide_others),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
