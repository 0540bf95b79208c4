/* Layers that name other layers: names that are none, that come later, shapes that do not meet,
   layers that nobody reads. */
#include "cases.h"
#include "refusal.h"

#define POOLED CONV5 "max_pool2d {}, conv2d { filters = 5, kernel = 3 },"

static void names_that_are_none(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5, CONV3 "concat { @with = \"encoder.conv2\" }"),
          "concat: there is no layer 'encoder.conv2' before this one; did you mean "
          "encoder.conv1?" },
        { GRAPH(CONV5, CONV3 "add { @with = \"conv1\" }"),
          "add: there is no layer 'conv1' before this one; did you mean encoder.conv1?" },
        { GRAPH(CONV5, CONV3 "add { @with = \"decoder.con1\" }"),
          "add: there is no layer 'decoder.con1' before this one; did you mean decoder.conv1?" },
        { GRAPH(POOLED, "max_unpool2d { @pool = \"encoder.pol1\" }," CONV3),
          "max_unpool2d: there is no layer 'encoder.pol1' before this one; did you mean "
          "encoder.pool1?" },
        { GRAPH(CONV5, CONV3 "from { @layer = \"\" }"),
          "from: there is no layer '' before this one; did you mean" },
        { GRAPH(CONV5, CONV3 "concat { @with = { \"encoder.conv1\", \"Encoder.conv1\" } }"),
          "concat: there is no layer 'Encoder.conv1' before this one; did you mean "
          "encoder.conv1?" },
        { GRAPH("concat { @with = \"x.y\" }," CONV5, CONV3),
          "concat: there is no layer 'x.y' before this one; this is the first" },
        { GRAPH(CONV5 "concat { @with = \"encoder.conv1\\0\" },", CONV3),
          "concat: with wants the name of a layer or a list of names" },
        { GRAPH(CONV5 "concat { @with = string.rep(\"a\", 50000) },", CONV3),
          "concat: no layer has a name of 50000 letters" },
    };
    REFUSE(refusals);
}

static void layers_that_come_later(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "add { @with = \"encoder.conv2\" }, conv2d { filters = 5, kernel = 3 },",
                CONV3),
          "add: encoder.conv2 comes later; a layer reads only what comes before it" },
        { GRAPH(CONV5 "add { @with = \"decoder.last\" },",
                "conv2d { filters = 3, kernel = 3, name = \"last\" }"),
          "add: decoder.last comes later" },
        { GRAPH(CONV5 "add { @with = \"encoder.add1\" },", CONV3),
          "add: encoder.add1 is this layer itself; name one that comes before" },
        { GRAPH(CONV5 "{ from { @layer = \"encoder.inner\" }, { relu { name = \"inner\" } } },",
                CONV3),
          "from: encoder.inner comes later" },
    };
    REFUSE(refusals);
}

static void arguments(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "@concat {},", CONV3), "concat: with is missing" },
        { GRAPH(CONV5 "@from {},", CONV3), "from: layer is missing" },
        { GRAPH(CONV5 "@max_unpool2d {},", CONV3), "max_unpool2d: pool is missing" },
        { GRAPH(CONV5 "add { @with = 1 },", CONV3),
          "add: with wants the name of a layer or a list of names, such as \"encoder.conv1\", not "
          "a number" },
        { GRAPH(CONV5 "add { @with = {} },", CONV3),
          "add: with wants from 1 to 64 names of layers" },
        { GRAPH(CONV5 "add { @with = { \"encoder.conv1\", 2 } },", CONV3),
          "add: with wants the name of a layer or a list of names, such as \"encoder.conv1\", not "
          "a number" },
        { GRAPH(CONV5 "from { @layer = { \"encoder.conv1\" } },", CONV3),
          "from: layer wants the name of a layer, such as \"encoder.conv1\", not a table" },
        { GRAPH(CONV5 "add { @with = { \"encoder.conv1\", x = \"input\" } },", CONV3),
          "add: with wants from 1 to 64 names of layers" },
        { GRAPH(CONV5 "add { @with = { \"encoder.conv1\", [1.5] = 3 } },", CONV3),
          "add: with wants from 1 to 64 names of layers" },
        { GRAPH(CONV5 "from { @layer = conv2d },", CONV3),
          "from: layer wants the name of a layer, such as \"encoder.conv1\", not a function" },
        { GRAPH(CONV5 "concat { @axis = 1, with = \"encoder.conv1\" },", CONV3),
          "concat: no argument is called 'axis'; known are: with, name" },
    };
    REFUSE(refusals);
}

static void shapes_that_do_not_meet(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "max_pool2d {}, concat { @with = \"encoder.conv1\" },", CONV3),
          "concat: encoder.conv1 gives 8x8x5, but what comes in is 4x4x5; all but the channels "
          "must be equal" },
        { GRAPH(CONV5 "conv2d { filters = 4, kernel = 3 }, add { @with = \"encoder.conv1\" },",
                CONV3),
          "add: encoder.conv1 gives 8x8x5, but what comes in is 8x8x4; both must be equal" },
        { GRAPH(CONV5 "add { @with = \"input\" },", CONV3),
          "add: input gives 8x8x3, but what comes in is 8x8x5" },
        { GRAPH(POOLED, "max_unpool2d { @pool = \"encoder.conv1\" }," CONV3),
          "max_unpool2d: pool wants the name of a max_pool2d, but encoder.conv1 is of the kind "
          "conv2d" },
        { GRAPH(CONV5 "max_pool2d { size = 3, stride = 1 },",
                "max_unpool2d { @pool = \"encoder.pool1\" }," CONV3),
          "max_unpool2d: windows of encoder.pool1 overlap, so that two values may go back to one "
          "place; give that pool a stride that is not smaller than its size\n" },
        { GRAPH(POOLED, "max_unpool2d { @pool = \"input\" }," CONV3),
          "max_unpool2d: pool wants the name of a max_pool2d, but input is" },
        { GRAPH(POOLED "conv2d { filters = 4, kernel = 3 },",
                "max_unpool2d { @pool = \"encoder.pool1\" }," CONV3),
          "max_unpool2d: encoder.pool1 gives 4x4x5, but what comes in is 4x4x4; both must be "
          "equal" },
        { GRAPH(POOLED, "upsample2d {}, max_unpool2d { @pool = \"encoder.pool1\" }," CONV3),
          "max_unpool2d: encoder.pool1 gives 4x4x5, but what comes in is 8x8x5" },
    };
    REFUSE(refusals);
}

static void layers_that_nobody_reads(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH(CONV5 "@conv2d { filters = 4, kernel = 3 }, from { layer = \"encoder.conv1\" },",
                CONV3),
          "conv2d: nothing reads the output of encoder.conv2: name it in a from or in the with of "
          "a layer such as add, or take the layer out" },
        { GRAPH("conv2d { filters = 5, kernel = 3 }, @relu {},",
                "from { layer = \"encoder.conv1\" }," CONV3),
          "relu: nothing reads the output of encoder.relu1" },
        { GRAPH(CONV5, CONV3 "@tanh {}, from { layer = \"decoder.conv1\" },"),
          "tanh: nothing reads the output of decoder.tanh1" },
        { GRAPH(CONV5 "@max_pool2d {}, from { layer = \"encoder.conv1\" },", CONV3),
          "max_pool2d: nothing reads the output of encoder.pool1" },
        { GRAPH(
              "@conv2d { filters = 4, kernel = 3 }, from { layer = \"input\" }, conv2d { filters = "
              "5, kernel = 3 },",
              CONV3),
          "conv2d: nothing reads the output of encoder.conv1" },
    };
    REFUSE(refusals);
}

/* The places of a pool let no gradient through. */
static void weights_that_cannot_be_trained(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { GRAPH("@conv2d { filters = 4, kernel = 3 }, max_pool2d {}, from { layer = \"input\" }, "
                "conv2d { filters = 4, kernel = 3, stride = 2 },",
                "max_unpool2d { pool = \"encoder.pool1\" }," CONV3),
          "conv2d: encoder.conv1 cannot be trained: all that the output takes from it are the "
          "places of a max-pool" },
    };
    REFUSE(refusals);
}

static void parts_that_compute_nothing(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = @sequential \"e\" { from { "
          "layer = \"input\" } },\n"
          "  decoder = sequential \"d\" { " CONV3 " } }\n",
          "e: has no layer that computes anything" },
        { "return autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { " CONV3
          " },\n"
          "  decoder = @sequential \"d\" { from { layer = \"e.conv1\" } } }\n",
          "d: has no layer that computes anything" },
    };
    REFUSE(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(layers_that_come_later),
        cmocka_unit_test(arguments),
        cmocka_unit_test(shapes_that_do_not_meet),
        cmocka_unit_test(layers_that_nobody_reads),
        cmocka_unit_test(weights_that_cannot_be_trained),
        cmocka_unit_test(parts_that_compute_nothing),
    };
    return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}
