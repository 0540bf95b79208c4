/* What the passes and the plan make of values with several readers, read from `--dump`. */
#include "cases.h"
#include "files.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

static char *dump_of(const char *encoder, const char *decoder, const char *pass)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    char *graph = text_of(
        "return autoencoder \"net\" { input = { 12, 16, 3 }, encoder = sequential \"e\" { %s }, "
        "decoder = sequential \"d\" { %s } }\n",
        encoder, decoder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --dump %s --target x86-64-v3", pass);
    want_exit(&result, 0);
    free(result.err);
    free(graph);
    free(path);
    folder_remove(folder);
    return result.out;
}

static void want(const char *dump, const char *text)
{
    if (!strstr(dump, text))
        fail_msg("no\n%s\nin\n%s", text, dump);
}

static void want_no(const char *dump, const char *text)
{
    if (strstr(dump, text))
        fail_msg("%s in\n%s", text, dump);
}

/* The text that a dump has between two others, to be freed. */
static char *part_of(const char *dump, const char *from, const char *to)
{
    const char *start = strstr(dump, from), *end = start ? strstr(start, to) : NULL;
    if (!start || !end)
        fail_msg("no %s ... %s in\n%s", from, to, dump);
    return text_of("%.*s", (int)(end - start), start);
}

#define CONV5 "conv2d { filters = 5, kernel = 3, activation = \"relu\" },"
#define CONV3 "conv2d { filters = 3, kernel = 3 },"

/* The last reader's part comes first, whatever the readers are. */
static void gradients_of_several_readers_are_summed_in_order(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 CONV5 "add { with = \"e.conv1\" },",
                         CONV5 "concat { with = \"e.conv1\" }," CONV3, "differentiate");
    want(dump, "e.conv1.relu.sum = add(d.concat1.dx2, d.conv1.dx) : 12x16x5");
    want(dump, "e.conv1.relu.sum2 = add(e.conv1.relu.sum, e.conv2.dx) : 12x16x5");
    want(dump, "e.conv1.relu_dx = relu_dx(e.conv1.relu, e.conv1.relu.sum2)");
    want_no(dump, "e.add1.sum = "); /* it has one reader: what arrives is that one's */
    free(dump);
}

/* A layer beside itself or plus itself sends its gradient back twice. */
static void one_reader_may_read_twice(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 "add { with = \"e.conv1\" },",
                         CONV5 "concat { with = \"d.conv1\" }," CONV3, "differentiate");
    want(dump, "d.conv1.relu.sum = add(d.concat1.dx1, d.concat1.dx2)");
    want(dump, "e.conv1.relu.sum = add(d.conv1.dx, d.conv1.dx)");
    free(dump);
}

/* A skip reads the activation before the pool: it must stay in memory, so no kernel may take the
   pool in. */
static void a_value_that_a_skip_reads_is_kept(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 "max_pool2d {},",
                         "upsample2d {}, concat { with = \"e.conv1\" }," CONV3, "fuse");
    want(
        dump,
        "fusion e.conv1: core=e.conv1 bias=e.conv1.bias_add act=e.conv1.relu d_act=e.conv1.relu_dx "
        "dw=e.conv1.dw db=e.conv1.db\n");
    want(dump, "fusion e.pool1: core=e.pool1\n");
    /* not exchanged with the pool's */
    want(dump, "e.conv1.relu_dx = relu_dx(e.conv1.relu, e.conv1.relu.sum)");
    free(dump);
}

/* Where the skip reads the pooled value the fused kernel stays; it keeps the places for an
   unpooling too. */
static void a_pool_with_several_readers_stays_fused(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 "max_pool2d {}, conv2d { filters = 5, kernel = 3 },",
                         "add { with = \"e.pool1\" }, max_unpool2d { pool = \"e.pool1\" }," CONV3,
                         "fuse");
    want(dump, "fusion e.conv1: core=e.conv1 bias=e.conv1.bias_add act=e.conv1.relu pool=e.pool1 "
               "codes=e.pool1.argmax");
    want(dump, "d.unpool1 = max_unpool2d(d.add1, e.pool1.argmax, e.pool1)");
    want(dump, "d_act=e.conv1.relu_dx d_pool=e.pool1.dx");
    free(dump);
}

/* Two pools on one value: the places of one must not be lost in a kernel that takes the other
   in. */
static void two_pools_on_one_value(void **state)
{
    (void)state;
    char *dump = dump_of(
        CONV5
        "max_pool2d {}, from { layer = \"e.conv1\" }, max_pool2d { size = 4 }, upsample2d {},",
        "max_unpool2d { pool = \"e.pool1\" }," CONV3, "fuse");
    want(dump, "fusion e.conv1: core=e.conv1 bias=e.conv1.bias_add act=e.conv1.relu d");
    want_no(dump, "pool=");
    free(dump);
}

/* Upsampling goes into the convolution that reads it, and is made for the other reader. */
static void upsampling_with_another_reader(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 "max_pool2d {},",
                         "upsample2d {}," CONV3 "concat { with = \"d.up1\" }," CONV3, "drop");
    want(dump, "d.conv1 = conv2d(e.pool1, d.conv1.kernel) { kernel=3, stride=1, same=1, up=2 }");
    want(dump, "d.concat1 = concat(d.conv1.bias_add, d.up1)");
    want(dump, "e.pool1.sum = add(");
    free(dump);
}

/* A decoder that reads more than the latent is planned from the image on; one that reads the latent
   several times is not. */
static void programs_of_a_decoder(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 "max_pool2d {},",
                         "upsample2d {}, concat { with = \"e.conv1\" }," CONV3, "plan");
    want(dump, "\nreconstruct: ");
    want_no(dump, "\ndecode: ");
    char *encode = part_of(dump, "\nencode: ", "\nreconstruct: ");
    want(encode, "e_pool1_forward");
    want_no(encode, "d_conv1");
    free(encode);
    free(dump);
    dump = dump_of(CONV5 "max_pool2d {},",
                   CONV5 "concat { with = \"e.pool1\" }, upsample2d {}," CONV3, "plan");
    want(dump, "\ndecode: ");
    want_no(dump, "\nreconstruct: ");
    char *decode = part_of(dump, "\ndecode: ", "\nprepared weights");
    want_no(decode, "e_conv1");
    free(decode);
    free(dump);
}

/* Each gradient of a branch is called what it is, and no operator falls to a kernel of loops where
   there is another. */
static void plan_names_every_kernel(void **state)
{
    (void)state;
    char *dump = dump_of(CONV5 CONV5 "add { with = \"e.conv1\" },",
                         CONV5 "concat { with = \"e.conv1\" }," CONV3, "plan");
    want(dump, "d_concat1_forward                concat       forward");
    want(dump, "d_concat1_dx2                    concat       dX");
    want(dump, "e_conv1_relu_sum                 pointwise    dX");
    want(dump, "e_add1_forward                   pointwise    forward");
    want_no(dump, " conv_plain   ");
    free(dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_several_readers_are_summed_in_order),
        cmocka_unit_test(one_reader_may_read_twice),
        cmocka_unit_test(a_value_that_a_skip_reads_is_kept),
        cmocka_unit_test(a_pool_with_several_readers_stays_fused),
        cmocka_unit_test(two_pools_on_one_value),
        cmocka_unit_test(upsampling_with_another_reader),
        cmocka_unit_test(programs_of_a_decoder),
        cmocka_unit_test(plan_names_every_kernel),
    };
    return cmocka_run_group_tests_name("branches", tests, NULL, NULL);
}
