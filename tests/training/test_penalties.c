/* Losses of several terms, weighted losses and penalties of kernels and activities: updates by the
   trainer, the loss and its columns against Keras's in float64, which reference/penalties.py
   writes. */
#include "build.h"
#include "cases.h"

#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, UPDATES = 4 };

typedef struct Terms {
    const char *graph;
    const double *parameters; /* at the start, then after each update */
    size_t parameter_count;   /* of all of these */
    const char *names;        /* of the columns */
    const double *columns;    /* before each update: the loss, then each column */
    size_t column_count;      /* of all of these */
} Terms;

#define NUMBERS(...) (const double[]){ __VA_ARGS__ }, sizeof((double[]){ __VA_ARGS__ }) / 8
#define PARAMETERS NUMBERS
#define COLUMNS NUMBERS
#define TERMS(...) { __VA_ARGS__ },
static const Terms all[] = {
#include "../reference/penalties.def"
};

/* As penalties.py makes them. */
static void fill(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)((i * i / 7 + 31 * i) % 256);
}

static double bound(void)
{
    return sizeof(real) == sizeof(double) ? 1e-12 : 1e-5;
}

static void want_near(const char *what, int update, double got, double right, double largest)
{
    if (!(fabs(got - right) <= bound() * largest))
        fail_msg("update %d: %s is %.17g, Keras's %.17g", update, what, got, right);
}

static void check_parameters(const Model *model, const real *got, const double *right, int update)
{
    for (int k = 0; k < model->parameter_count; k++) {
        const ModelParameter *p = &model->parameters[k];
        double largest = 0;
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            largest = fmax(largest, fabs(right[i]));
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            want_near(p->name, update, (double)got[i], right[i], largest);
    }
}

static int column_of(const Model *model, const char *name, size_t length)
{
    for (int i = 0; i < model->column_count; i++)
        if (strlen(model->columns[i]) == length && strncmp(model->columns[i], name, length) == 0)
            return i;
    fail_msg("there is no column %.*s", (int)length, name);
    return -1;
}

/* Of the gradient that was computed last. */
static void check_columns(const Trainer *t, const char *names, const double *right, int update)
{
    double sums[MODEL_MAX_COLUMNS] = { 0 };
    int count = 0;
    trainer_column_sums(t, IMAGES, sums);
    want_near("the loss", update, trainer_loss_sum(t, IMAGES, 0) / IMAGES, right[0], right[0]);
    for (size_t length; *names; names += length + (names[length] == ' ')) {
        length = strcspn(names, " ");
        const double value = right[++count];
        want_near(names, update, sums[column_of(t->model, names, length)] / IMAGES, value, value);
    }
    assert_int_equal(count, t->model->column_count);
}

static void check(const Terms *terms, int threads)
{
    Built built = build_model_merged(terms->graph, "--target x86-64-v3");
    const Model *model = built.model;
    const size_t count = model->parameter_reals, columns = (size_t)model->column_count + 1,
                 bytes = trainer_image_values(model);
    uint8_t *images = malloc(IMAGES * bytes);
    const uint8_t *list[IMAGES];
    Trainer t;
    Error error;
    assert_non_null(images);
    assert_int_equal(terms->parameter_count, (UPDATES + 1) * count);
    assert_int_equal(terms->column_count, UPDATES * columns);
    fill(images, IMAGES * bytes);
    for (size_t i = 0; i < IMAGES; i++)
        list[i] = images + i * bytes;
    assert_int_equal(trainer_open(&t, model, &model->training, IMAGES, threads, &error), 0);
    for (size_t i = 0; i < count; i++)
        t.parameters[i] = (real)terms->parameters[i];
    trainer_prepare(&t);
    for (int k = 0; k < UPDATES; k++) {
        assert_int_equal(trainer_step(&t, list, NULL, IMAGES), TRAINER_FINE);
        check_columns(&t, terms->names, terms->columns + (size_t)k * columns, k + 1);
        check_parameters(model, t.parameters, terms->parameters + (size_t)(k + 1) * count, k + 1);
    }
    trainer_close(&t);
    free(images);
    built_free(&built);
}

static void updates_of_keras(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check(&all[i], 1 + (int)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(updates_of_keras) };
    return cmocka_run_group_tests_name("penalties", tests, NULL, NULL);
}
