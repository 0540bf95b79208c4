/* Weights files: what is taken, what is passed over, what is refused by name. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "weights/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REALS = 223, MOST = 6 };

static char folder[200], path[300];
static SafetensorsItem items[MOST];
static double doubles[REALS];
static float floats[REALS];
static int count;

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-weights-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/weights.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* The tiny model's four parameters, last first, with the values 0.125, 1.125, 2.125, ... in the
   model's order. */
static int make_items(void **state)
{
    (void)state;
    count = 4;
    for (int i = 0; i < REALS; i++)
        floats[i] = (float)(doubles[i] = i + 0.125);
    for (int i = 0; i < 4; i++) {
        const ModelParameter *p = &caec_model.parameters[3 - i];
        items[i] = (SafetensorsItem){
            p->name, SAFETENSORS_F32, p->shape.rank, { 0 }, floats + p->offset
        };
        for (int k = 0; k < p->shape.rank; k++)
            items[i].shape[k] = p->shape.dim[k];
    }
    return 0;
}

static int load(real *parameters, Error *error)
{
    char message[800];
    assert_int_equal(safetensors_write(path, items, count, NULL, NULL, 0, message, sizeof message),
                     0);
    return weights_load(&caec_model, path, parameters, error);
}

static void refused(const char *name, const char *what)
{
    real parameters[REALS];
    Error error = { 0 };
    assert_int_equal(load(parameters, &error), -1);
    assert_int_equal(error.exit_code, EXIT_INPUT);
    if (!strstr(error.text, path) || !strstr(error.text, name) || !strstr(error.text, what))
        fail_msg("\"%s\" does not name %s and %s", error.text, name, what);
}

static void takes_all(void **state)
{
    static const char *const besides[] = { "optimizer.m/encoder.conv1.bias", "position" };
    real parameters[REALS] = { 0 };
    Error error;

    (void)state;
    for (int i = 0; i < 2; i++) {
        items[count] = items[0];
        items[count++].name = besides[i];
    }
    items[1].type = SAFETENSORS_F64;
    items[1].values = doubles + caec_model.parameters[2].offset;
    if (load(parameters, &error) != 0)
        fail_msg("%s", error.text);
    for (int i = 0; i < REALS; i++)
        assert_true(parameters[i] == (real)(i + 0.125));
}

static void refuses_by_name(void **state)
{
    (void)state;
    items[0].name = "decoder.conv2.bias";
    refused("decoder.conv1.bias [3]", "missing");
    items[0].name = "decoder.conv1.bias";

    items[count] = items[0];
    items[count++].name = "decoder.conv2.bias";
    refused("decoder.conv2.bias", "another network");
    count--;

    items[3].shape[2] = 4, items[3].shape[3] = 3; /* as many values, other dimensions */
    refused("encoder.conv1.kernel", "[3, 3, 4, 3]; this network needs [3, 3, 3, 4]");
    items[3].shape[2] = 3, items[3].shape[3] = 4;

    items[3].rank = 3, items[3].shape[2] = 12;
    refused("encoder.conv1.kernel", "[3, 3, 12]");
    make_items(NULL);

    items[3].type = SAFETENSORS_U64, items[3].values = doubles;
    refused("encoder.conv1.kernel", "U64");
}

static void refuses_no_numbers(void **state)
{
    const size_t at = caec_model.parameters[1].offset;
    (void)state;
    floats[at] = NAN;
    refused("encoder.conv1.bias", "not a finite number");
    floats[at] = INFINITY;
    refused("encoder.conv1.bias", "not a finite number");
    floats[at] = 1;
    doubles[at] = 1e300; /* finite in the file, but not in float */
    items[2].type = SAFETENSORS_F64, items[2].values = doubles + at;
    if (sizeof(real) == sizeof(float))
        refused("encoder.conv1.bias", "not a finite number");
}

static void unreadable_is_io(void **state)
{
    real parameters[REALS];
    Error error;
    (void)state;
    assert_int_equal(weights_load(&caec_model, folder, parameters, &error), -1);
    assert_int_equal(error.exit_code, EXIT_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_all, make_items),
        cmocka_unit_test_setup(refuses_by_name, make_items),
        cmocka_unit_test_setup(refuses_no_numbers, make_items),
        cmocka_unit_test(unreadable_is_io),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
