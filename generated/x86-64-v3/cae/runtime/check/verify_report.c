#include "verify_private.h"

#include "settings.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers are those of the manual in verify.h: what rounding and ties of pools and ReLUs may do
   to float32, and nothing more. */
#define BY_REAL(in_float, in_double) (sizeof(real) == sizeof(float) ? (in_float) : (in_double))

const VerifyBound verify_bound_forward = { BY_REAL(1e-5, 1e-6), 0 };
const VerifyBound verify_bound_gradient = { BY_REAL(2e-3, 1e-6), 0 };
const double verify_rounding = BY_REAL(5e-6, 1e-13);
static const VerifyBound bound_loss = { BY_REAL(3e-4, 1e-6), 0 };

VerifyBound verify_bound_update(double move)
{
    return (VerifyBound){ BY_REAL(3 * move, 1e-6), BY_REAL(move / 2, 0) };
}

static void add_row(VerifyReport *report, const char *name, VerifyRow row)
{
    snprintf(row.name, sizeof row.name, "%s", name);
    if (!row.ok)
        report->failed++;
    report->rows[report->count++] = row;
}

void verify_add_row(VerifyReport *report, const char *name, const real *ours, const double *theirs,
                    const double *rounding, size_t count, VerifyBound bound)
{
    VerifyRow row = { .bound = bound, .ok = 1 };
    double scale = 0;
    size_t near = 0;

    for (size_t i = 0; i < count; i++)
        if (fabs(theirs[i]) > scale)
            scale = fabs(theirs[i]);
    if (scale == 0)
        scale = 1;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)ours[i] - theirs[i]);
        int within = isfinite(difference)
                     && difference <= (bound.most > 0 ? bound.all : bound.all * scale);
        int rounded = rounding && difference <= rounding[i];
        /* takes NaN too, and keeps it */
        if (!(difference <= row.absolute) && !isnan(row.absolute))
            row.absolute = difference;
        if (!within && !rounded)
            row.ok = 0;
        row.rounded += rounded && (!within || (bound.most > 0 && difference > bound.most));
        near += difference <= bound.most || rounded;
    }
    row.difference = row.absolute / scale;
    row.within = count ? (double)near / (double)count : 1;
    if (bound.most > 0 && row.within < 0.99)
        row.ok = 0;
    add_row(report, name, row);
}

void verify_add_loss(VerifyReport *report, double difference)
{
    add_row(report, "loss",
            (VerifyRow){ .difference = difference,
                         .absolute = difference,
                         .within = 1,
                         .bound = bound_loss,
                         .ok = difference <= bound_loss.all });
}

static const char *real_name(void)
{
    return sizeof(real) == sizeof(float) ? "float" : "double";
}

static void print_row(const VerifyReport *report, const VerifyRow *row, int width)
{
    printf("%-*s  %-10.2e  %-7.0e  %s", width, row->name, row->difference, row->bound.all,
           row->ok ? "ok" : "FAIL");
    if (row->bound.most > 0)
        printf("    absolute %.2e, %.2f %% within %.0e", row->absolute, 100 * row->within,
               row->bound.most);
    if (row->rounded > 0)
        printf("    %zu value%s within what rounding leaves of the network's largest gradient, "
               "%.2e",
               row->rounded, row->rounded == 1 ? "" : "s", report->largest_gradient);
    putchar('\n');
}

static void print_rows(const VerifyReport *report)
{
    int width = 6;
    for (int i = 0; i < report->count; i++)
        if ((int)strlen(report->rows[i].name) > width)
            width = (int)strlen(report->rows[i].name);
    printf("%-*s  difference  bound    verdict\n", width, "tensor");
    for (int i = 0; i < report->count; i++)
        print_row(report, &report->rows[i], width);
}

void verify_print(const VerifyReport *report)
{
    const Model *model = report->model;
    char optimizer[SETTINGS_TEXT], theirs[SETTINGS_TEXT];

    settings_optimizer_text(&model->training.optimizer, optimizer);
    settings_optimizer_text(&report->optimizer, theirs);
    printf(
        "%s (%s, %s): %d parameters have the reference's names and shapes; batch %d, %d updates\n",
        model->name, model->target, real_name(), model->parameter_count, report->batch,
        report->steps);
    print_rows(report);
    if (!report->updates)
        printf(
            "updates, and losses after them, are not compared: the reference's are by %s, and the "
            "graph's optimizer is %s\n",
            theirs, optimizer);
    if (report->failed)
        printf("FAIL: %d of %d tensors are out of bounds\n", report->failed, report->count);
    else
        printf("ok: all %d tensors are within bounds\n", report->count);
}

/* JSON has no NaN and no infinity. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void verify_print_json(const VerifyReport *report)
{
    json_t *tensors = json_array();

    for (int i = 0; i < report->count; i++) {
        const VerifyRow *row = &report->rows[i];
        json_t *tensor = json_pack("{s:s, s:o, s:f, s:s}", "name", row->name, "difference",
                                   number(row->difference), "bound", row->bound.all, "verdict",
                                   row->ok ? "ok" : "FAIL");
        if (row->bound.most > 0) {
            json_object_set_new(tensor, "absolute", number(row->absolute));
            json_object_set_new(tensor, "within", json_real(row->within));
            json_object_set_new(tensor, "within_bound", json_real(row->bound.most));
        }
        if (row->rounded > 0)
            json_object_set_new(tensor, "rounded", json_integer((json_int_t)row->rounded));
        json_array_append_new(tensors, tensor);
    }
    json_t *all = json_pack("{s:s, s:s, s:i, s:i, s:i, s:b, s:o, s:i, s:i, s:s}", "model",
                            report->model->name, "real", real_name(), "batch", report->batch,
                            "steps", report->steps, "parameters", report->model->parameter_count,
                            "updates_compared", report->updates, "tensors", tensors, "compared",
                            report->count, "failed", report->failed, "verdict",
                            report->failed ? "FAIL" : "ok");
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(all);
}
