/* The list `stages`: each wrong word at its place. */
#include "cases.h"
#include "files.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

/* 8x8x3 -> conv1 8x8x4 -> pool1 4x4x4 -> conv2 4x4x5 -> pool2 2x2x5; conv1 2x2x4 -> up1 4x4x4 ->
   conv2 4x4x3 -> up2 8x8x3 */
#define STACKED(more_)                                                                             \
    WITH("conv2d { filters = 4, kernel = 3 }, max_pool2d {}, conv2d { filters = 5, kernel = 3 }, " \
         "max_pool2d {},",                                                                         \
         "conv2d { filters = 4, kernel = 3 }, upsample2d {}, conv2d { filters = 3, kernel = 3 }, " \
         "upsample2d {},",                                                                         \
         more_)
#define STAGES(list_) STACKED("  stages = { " list_ " },\n")
#define FIRST "{ encoder = \"pool1\", decoder = \"conv2\" }, "

static void lists(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { STACKED("  @stages = 3,\n"), "autoencoder: stages wants a list, such as { { encoder" },
        { STACKED("  @stages = {},\n"), "autoencoder: stages wants 2 to 64 stages" },
        { STACKED("  @stages = { {} },\n"), "autoencoder: stages wants 2 to 64 stages" },
        { STACKED("  @stages = { first = {}, {}, {} },\n"),
          "autoencoder: stages wants a list without names and holes" },
        { STACKED("  @stages = { encoder = \"pool1\", decoder = \"conv2\" },\n"),
          "autoencoder: stages wants a list without names and holes" },
        { STAGES(FIRST "@7"), "stages: stage 2 is no table; a stage is written { encoder = " },
        { STAGES("@conv2d { filters = 1 }, {}"), "stages: stage 1 is no table" },
        { STAGES(FIRST "{ @epoch = 3 }"),
          "stages: no argument is called 'epoch'; known are: loss, epochs, encoder, decoder" },
        { STAGES(FIRST "{ @epochs = 0 }"), "stages: epochs wants a whole number from 1 to" },
        { STAGES("{ encoder = \"pool1\",\n decoder = \"conv2\", @epochs = \"five\" }, {}"),
          "stages: epochs wants a whole number, not a string" },
        { STAGES("{ encoder = \"pool1\", decoder = \"conv2\", @loss = \"rmse\" }, {}"),
          "stages: loss wants one of \"mse\", \"mae\", \"bce\"" },
        { STAGES(FIRST "{ @loss = \"mae\" }"),
          "stages: the loss of all layers together stands in training" },
        { STAGES(FIRST "@{ encoder = \"pool2\", decoder = \"conv1\" }"),
          "stages: the last stage trains all layers together: { epochs = 20 }" },
        { STAGES("@{ epochs = 2 }, {}"),
          "stages: a stage of all layers together can only be the last" },
        { STAGES("{ @encoder = \"pool1\" }, {}"),
          "stages: a stage wants both encoder and decoder" },
        { STAGES("{ @decoder = \"conv2\" }, {}"),
          "stages: a stage wants both encoder and decoder" },
    };
    REFUSE(refusals);
}

static void layers(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { STAGES("{ @encoder = \"pol1\", decoder = \"conv2\" }, {}"),
          "stages: there is no layer 'encoder.pol1'; did you mean encoder.pool1?" },
        { STAGES("{ encoder = \"pool1\", @decoder = \"decoder.conv3\" }, {}"),
          "stages: there is no layer 'decoder.conv3'; did you mean decoder.conv" },
        { STAGES("{ @encoder = \"decoder.conv1\", decoder = \"conv2\" }, {}"),
          "stages: decoder.conv1 is no layer of the encoder" },
        { STAGES("{ encoder = \"pool1\", @decoder = \"encoder.conv2\" }, {}"),
          "stages: encoder.conv2 is no layer of the decoder" },
        { STAGES("{ @encoder = 1, decoder = \"conv2\" }, {}"),
          "stages: encoder wants the name of a layer of the encoder, such as \"conv1\", not a "
          "number" },
        { STAGES(FIRST "{ @encoder = \"pool1\", decoder = \"conv1\" }, {}"),
          "stages: encoder.pool1 is trained by an earlier stage; name a layer after "
          "encoder.pool1" },
        { STAGES(FIRST "{ @encoder = \"conv1\", decoder = \"conv1\" }, {}"),
          "stages: encoder.conv1 is trained by an earlier stage" },
        { STAGES(FIRST "{ encoder = \"pool2\", @decoder = \"conv2\" }, {}"),
          "stages: decoder.conv2 is trained by an earlier stage; name a layer before "
          "decoder.conv2" },
        { STAGES("{ encoder = \"pool2\", @decoder = \"conv2\" }, {}"),
          "stages: decoder.conv2 reads 4x4x4, but encoder.pool2 gives 2x2x5; both must be equal" },
        { STAGES("{ encoder = \"conv1\", @decoder = \"conv1\" }, {}"),
          "stages: decoder.conv1 reads 2x2x5, but encoder.conv1 gives 8x8x4" },
        { WITH(CONV5 "conv2d { filters = 5, kernel = 3 }, relu {},", "tanh {}, " CONV3,
               "  stages = { { encoder = \"conv2\", decoder = \"conv1\" }, @{ encoder = \"relu1\", "
               "decoder = \"tanh1\" }, {} },\n"),
          "stages: the layers of this stage have nothing to train; let it reach as far as a layer "
          "with weights" },
        { WITH(CONV5 "conv2d { filters = 5, kernel = 3, trainable = false }, relu {},",
               "tanh {}, " CONV3,
               "  stages = { { encoder = \"conv1\", decoder = \"conv1\" }, @{ encoder = \"relu1\", "
               "decoder = \"tanh1\" }, {} },\n"),
          "stages: the layers of this stage have nothing to train: they have trainable = false; "
          "let "
          "the stage before or after take them, or train one of them" },
    };
    REFUSE(refusals);
}

static void what_does_not_go_together(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { STAGES(FIRST "{ encoder = \"pool2\", decoder = \"conv1\", @loss = \"bce\" }, {}"),
          "stages: bce wants a target of values from 0 to 1, as a sigmoid gives, but this stage's "
          "is encoder.pool1" },
        { STACKED("  training = { schedule = cosine { warmup = 2 } },\n  stages = { { encoder = "
                  "\"pool1\", decoder = \"conv2\", @epochs = 2 }, {} },\n"),
          "stages: the schedule's warmup of 2 epochs leaves nothing of a stage of 2; use a shorter "
          "warmup or more epochs" },
        { WITH(CONV5 "conv2d { filters = 5, kernel = 3 },",
               "conv2d { filters = 5, kernel = 3 }, add { with = \"encoder.conv2\" }, " CONV3,
               "  stages = { @{ encoder = \"conv1\", decoder = \"add1\" }, {} },\n"),
          "stages: this stage needs encoder.conv2, which a later stage trains; take it into this "
          "one, or let its layers do without" },
        { WITH(CONV5 CONV5 "from { layer = \"encoder.conv1\" }," CONV5,
               CONV5 "add { with = \"encoder.conv2\" }," CONV3,
               "  stages = { @{ encoder = \"conv3\", decoder = \"conv2\" }, {} },\n"),
          "stages: this stage cannot train encoder.conv2: its loss does not depend on that layer" },
        /* After noise, a stage that begins with the image: its reals and the copy of
           decoder.conv1's value for inference have names of their own. */
        { WITH("conv2d { filters = 4, kernel = 3 }, from { layer = \"input\" }, conv2d { filters = "
               "4, kernel = 3 }, add { with = \"encoder.conv1\" },",
               "gaussian_noise { stddev = 0.1 }, conv2d { filters = 3, kernel = 3, activation = "
               "\"tanh\" }, sigmoid {},",
               "  stages = { @{ encoder = \"encoder.from1\", decoder = \"decoder.sigmoid1\" }, {} "
               "},\n"),
          "stages: this stage cannot train encoder.conv1: its loss does not depend on that layer" },
        { "return @autoencoder \"stage2\" { input = { 8, 8, 3 }, encoder = sequential \"e\" "
          "{ " CONV5 " }, decoder = sequential \"d\" { " CONV3 " } }\n",
          "autoencoder: the name \"stage2\" is that of a stage of training in the emitted C; "
          "choose another" },
    };
    REFUSE(refusals);
}

/* It has no places of its own. */
static void a_list_made_elsewhere(void **state)
{
    (void)state;
    static const Refusal refusals[] = {
        { "local list = { { encoder = \"nobody\", decoder = \"conv1\" }, {} }\n"
          "return @autoencoder \"net\" { input = { 8, 8, 3 }, encoder = sequential \"e\" { " CONV5
          " }, decoder = sequential \"d\" { " CONV3 " }, stages = list }\n",
          "stages: there is no layer 'e.nobody'; did you mean e.conv1?" },
    };
    REFUSE(refusals);
}

static void the_summary_lists_them(void **state)
{
    (void)state;
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    static const char graph[] = STAGES(
        "{ encoder = \"encoder.pool1\", decoder = \"conv2\", epochs = 1, loss = \"mae\" }, { "
        "epochs = 3 }");
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua --summary");
    want_exit(&result, 0);
    assert_non_null(
        strstr(result.out,
               "\nStages of training, one after another:\n 1. encoder.conv1 to encoder.pool1, "
               "decoder.conv2 to decoder.up2\n"
               "    1 epoch, 223 parameters, mae of the image\n 2. all layers\n    3 epochs, 592 "
               "parameters, mse of the image\n"));
    result_free(&result);
    free(path);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(layers),
        cmocka_unit_test(what_does_not_go_together),
        cmocka_unit_test(a_list_made_elsewhere),
        cmocka_unit_test(the_summary_lists_them),
    };
    return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
