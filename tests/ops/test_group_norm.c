/* group_norm: from one group to one a channel, beside convolutions, pools, activations and
   upsampling, and its start; instance_norm. */
#include "build.h"
#include "cases.h"
#include "drive.h"

#include <stdlib.h>

static void each_number_of_groups(void **state)
{
    (void)state;
    for (int groups = 1; groups <= 12; groups++) {
        if (12 % groups)
            continue;
        Net net = { .height = 6,
                    .width = 5,
                    .channels = 3,
                    .encoder = { { CONV, .filters = 12, .kernel = 3, .no_bias = true },
                                 { NORM, .groups = groups },
                                 { ACT, .activation = "tanh" } },
                    .decoder = { { CONV, .filters = 3, .kernel = 3 } } };
        check_net(&net, groups % 2 ? "x86-64-v3" : "c", "");
    }
}

static void among_other_layers(void **state)
{
    (void)state;
    Net net = { .height = 8,
                .width = 12,
                .channels = 3,
                .encoder = { { CONV, .filters = 6, .kernel = 3, .activation = "elu" },
                             { NORM, .groups = 3, .eps = 0.125 },
                             { POOL, .size = 2 },
                             { CONV, .filters = 4, .kernel = 3 },
                             { NORM, .groups = 2 } },
                .decoder = { { UP, .size = 2 },
                             { NORM, .groups = 1 },
                             { CONV, .filters = 5, .kernel = 3, .activation = "tanh" },
                             { NORM, .groups = 5 },
                             { AVG, .size = 2 },
                             { UP, .size = 2 },
                             { CONV, .filters = 3, .kernel = 3 } } };
    check_net(&net, "x86-64-v3", "");
    check_net(&net, "x86-64-v4", "");
}

static void last(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 6,
                .channels = 2,
                .encoder = { { CONV, .filters = 4, .kernel = 3, .activation = "tanh" },
                             { NORM, .groups = 1 } },
                .decoder = { { CONV, .filters = 2, .kernel = 3, .no_bias = true },
                             { NORM, .groups = 2 } } };
    check_net(&net, "x86-64-v3", "");
}

/* instance_norm: a group a channel, on the image itself and in the network. */
static void of_each_channel(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 6,
                .channels = 2,
                .encoder = { { INSTANCE_NORM },
                             { CONV, .filters = 19, .kernel = 3, .activation = "tanh" },
                             { INSTANCE_NORM, .eps = 0.125 } },
                .decoder = { { CONV, .filters = 2, .kernel = 3, .no_bias = true },
                             { INSTANCE_NORM } } };
    check_net(&net, "x86-64-v3", "");
}

/* gamma starts at 1 and beta at 0. */
static void starts_as_the_plain_normalisation(void **state)
{
    (void)state;
    Net net = { .height = 4,
                .width = 4,
                .channels = 1,
                .encoder = { { CONV, .filters = 4, .kernel = 1 }, { NORM, .groups = 2 } },
                .decoder = { { CONV, .filters = 1, .kernel = 1 } } };
    char *graph = net_graph(&net);
    Built built = build_model_merged(graph, "--target c");
    const ModelParameter *gamma = &built.model->parameters[2], *beta = &built.model->parameters[3];
    assert_string_equal(gamma->name, "encoder.norm1.gamma");
    assert_string_equal(beta->name, "encoder.norm1.beta");
    assert_true(gamma->limit == 0 && gamma->fill == 1 && beta->limit == 0 && beta->fill == 0);
    built_free(&built);
    free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_of_groups),
        cmocka_unit_test(among_other_layers),
        cmocka_unit_test(last),
        cmocka_unit_test(of_each_channel),
        cmocka_unit_test(starts_as_the_plain_normalisation),
    };
    return cmocka_run_group_tests_name("group_norm", tests, NULL, NULL);
}
