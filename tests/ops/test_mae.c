/* mae: the mean of absolute differences against the naive one, its gradient against finite
   differences, under each upsampling. */
#include "cases.h"
#include "drive.h"

static void under_each_upsampling(void **state)
{
    (void)state;
    for (int size = 1; size <= 4; size++) {
        Net net = { .height = 3 * size,
                    .width = 5 * size,
                    .channels = 1 + size % 3,
                    .loss = "mae",
                    .encoder = { { CONV, .filters = 3, .kernel = 3, .stride = size,
                                   .activation = "tanh", .plain = true } },
                    .decoder = { { CONV, .filters = 1 + size % 3, .kernel = 3 },
                                 { size > 1 ? UP : END, .size = size } } };
        check_net(&net, "x86-64-v3", "");
    }
}

static void of_an_activation(void **state)
{
    (void)state;
    Net net = { .height = 6,
                .width = 8,
                .channels = 3,
                .loss = "mae",
                .encoder = { { CONV, .filters = 3, .kernel = 3, .activation = "tanh",
                               .plain = true } },
                .decoder = { { CONV, .filters = 3, .kernel = 3, .activation = "sigmoid" } } };
    check_net(&net, "c", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(under_each_upsampling),
                                        cmocka_unit_test(of_an_activation) };
    return cmocka_run_group_tests_name("mae", tests, NULL, NULL);
}
