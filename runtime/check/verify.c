#include "verify.h"

#include "memory.h"
#include "compute/groups.h"
#include "compute/optimizer.h"
#include "penalty.h"
#include "verify_private.h"
#include "settings.h"
#include "weights/weights.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t shape_count(const ModelShape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dim[i];
    return count;
}

/* Doubles of an image among the losses. */
static size_t loss_places(const Model *model)
{
    return model->loss_places > 0 ? (size_t)model->loss_places : 1;
}

/* The optimizer that the reference's updates were made with. */
static int read_optimizer(Verify *v, Error *error)
{
    const char *text = safetensors_metadata(&v->file, "optimizer");
    Error wrong;
    if (settings_read_optimizer(&v->report.optimizer, text ? text : "adam", &wrong) != 0)
        return error_set(error, EXIT_INPUT,
                         "%s: its metadata name no optimizer as --optimizer takes it: %.300s",
                         v->path, wrong.text);
    v->report.updates = settings_same_optimizer(&v->report.optimizer,
                                                &v->model->training.optimizer);
    return 0;
}

static int allocate(Verify *v, Error *error)
{
    const Model *model = v->model;
    size_t batch = (size_t)v->report.batch, largest = 0;
    size_t workspace = model->train_bytes > model->infer_bytes ? model->train_bytes
                                                               : model->infer_bytes;

    for (int i = 0; i < v->file.count; i++)
        if (v->file.entries[i].count > largest)
            largest = v->file.entries[i].count;
    if (!(v->pixels = memory_block(batch * shape_count(&model->input), error))
        || !(v->images = memory_block(batch * sizeof *v->images, error))
        || !(v->parameters = memory_block(model->parameter_reals * sizeof(real), error))
        || !(v->gradient = memory_block(model->parameter_reals * sizeof(real), error))
        || !(v->latent = memory_block(batch * shape_count(&model->latent) * sizeof(real), error))
        || !(v->output = memory_block(batch * shape_count(&model->output) * sizeof(real), error))
        || !(v->losses = memory_block(batch * loss_places(model) * sizeof *v->losses, error))
        || !(v->theirs = memory_block(largest * sizeof *v->theirs, error))
        || !(v->noise = memory_block((size_t)model->parameter_count * sizeof *v->noise, error))
        || !(v->rounding = memory_block(largest * sizeof *v->rounding, error))
        || !(v->prepared = memory_block(model->prepared_bytes, error))
        || !(v->workspace = memory_block(workspace, error)))
        return -1;
    if (model->groups) {
        v->whole = *model->groups;
        v->whole.over = 0;
        if (!(v->shared = memory_block(groups_bytes(&v->whole, v->report.batch), error)))
            return -1;
    }
    if (!v->report.updates)
        return 0;
    if (optimizer_open(&v->optimizer, &v->report.optimizer, model->parameter_reals, 0, error) != 0)
        return -1;
    optimizer_restart(&v->optimizer, model, model->trains);
    return 0;
}

/* The model takes bytes: value * 255 must be one within the rounding of float32. */
static int read_input(Verify *v, Error *error)
{
    size_t each = shape_count(&v->model->input), count = each * (size_t)v->report.batch;

    safetensors_to_double(safetensors_find(&v->file, "input"), v->theirs);
    for (size_t i = 0; i < count; i++) {
        double level = v->theirs[i] * 255;
        if (!(level > -0.5 && level < 255.5 && fabs(level - nearbyint(level)) < 1e-4))
            return error_set(
                error, EXIT_INPUT,
                "%s: tensor input holds %.9g at place %zu; its values must be multiples of 1/255 "
                "in 0..1, as pictures have",
                v->path, v->theirs[i], i);
        v->pixels[i] = (uint8_t)nearbyint(level);
    }
    for (int b = 0; b < v->report.batch; b++)
        v->images[b] = v->pixels + (size_t)b * each;
    return 0;
}

/* Reads the file's tensor `prefix` + `name` into out; returns the full name, good until the next
   call. */
static const char *read_tensor(const Verify *v, const char *prefix, const char *name, double *out)
{
    static char full[512];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    safetensors_to_double(safetensors_find(&v->file, full), out);
    return full;
}

static void compare(Verify *v, const char *name, const real *ours, size_t count, VerifyBound bound)
{
    read_tensor(v, "", name, v->theirs);
    verify_add_row(&v->report, name, ours, v->theirs, NULL, count, bound);
}

/* By both sides, so that a wrong value of one cannot make it large. What is not finite fails
   anyhow. */
static double largest_gradient(const Verify *v)
{
    double ours = 0, theirs = 0;

    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        if (!verify_trains(v, i))
            continue;
        read_tensor(v, "grad/", p->name, v->theirs);
        for (size_t k = 0; k < p->count; k++) {
            if (isfinite(v->theirs[k]))
                theirs = fmax(theirs, fabs(v->theirs[k]));
            if (isfinite(v->gradient[p->offset + k]))
                ours = fmax(ours, fabs((double)v->gradient[p->offset + k]));
        }
    }
    return fmin(ours, theirs);
}

static void compare_gradients(Verify *v)
{
    v->report.largest_gradient = largest_gradient(v);
    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        if (!verify_trains(v, i))
            continue;
        for (size_t k = 0; k < p->count; k++)
            v->rounding[k] = verify_rounding * v->report.largest_gradient;
        const char *name = read_tensor(v, "grad/", p->name, v->theirs);
        verify_add_row(&v->report, name, v->gradient + p->offset, v->theirs, v->rounding, p->count,
                       verify_bound_gradient);
        const double off = v->report.rows[v->report.count - 1].absolute;
        v->noise[i] = fmin(4 * off, verify_rounding * v->report.largest_gradient);
    }
}

/* How far a parameter may be off after so many updates if its gradient g is off by what rounding
   leaves, see verify.h. */
static double update_rounding(const Verify *v, double g, double noise, int steps)
{
    const ModelOptimizer *o = &v->report.optimizer;
    double eps = o->eps / sqrt(1 - pow(o->beta2, steps));
    double share = noise > 0 ? noise / (fabs(g) + eps) : 0;
    return steps * v->move * 2 * fmin(sqrt(steps), share);
}

/* After it; by both sides, as largest_gradient. `theirs` and `rounding` have room for a tensor. */
static double first_move(const Verify *v)
{
    double ours = 0, theirs = 0;
    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        if (!verify_trains(v, i))
            continue; /* statistics of batches move in strides of their own */
        read_tensor(v, "step0/", p->name, v->theirs);
        read_tensor(v, "step1/", p->name, v->rounding);
        for (size_t k = 0; k < p->count; k++) {
            ours = fmax(ours, fabs((double)v->parameters[p->offset + k] - v->theirs[k]));
            theirs = fmax(theirs, fabs(v->rounding[k] - v->theirs[k]));
        }
    }
    return fmin(ours, theirs);
}

static void compare_updates(Verify *v, int steps)
{
    char prefix[32];

    if (steps == 1)
        v->move = first_move(v);
    snprintf(prefix, sizeof prefix, "step%d/", steps);
    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        if (verify_may_lack(v, i) && !verify_is_present(v, prefix, p->name))
            continue;
        if (verify_trains(v, i))
            read_tensor(v, "grad/", p->name, v->rounding);
        for (size_t k = 0; k < p->count; k++)
            v->rounding[k] = verify_trains(v, i)
                                 ? update_rounding(v, v->rounding[k], v->noise[i], steps)
                                 : 0;
        const char *name = read_tensor(v, prefix, p->name, v->theirs);
        verify_add_row(&v->report, name, v->parameters + p->offset, v->theirs, v->rounding,
                       p->count, verify_bound_update(v->move));
    }
}

static void compare_forward(Verify *v)
{
    const Model *model = v->model;
    size_t latent = shape_count(&model->latent), output = shape_count(&model->output);

    for (int b = 0; b < v->report.batch; b++) {
        model->encode(v->prepared, v->images[b], v->latent + (size_t)b * latent, v->workspace,
                      NULL);
        model->reconstruct(v->prepared, v->images[b], v->output + (size_t)b * output, v->workspace,
                           NULL);
    }
    compare(v, "latent", v->latent, latent * (size_t)v->report.batch, verify_bound_forward);
    compare(v, "output", v->output, output * (size_t)v->report.batch, verify_bound_forward);
}

static double mean_loss(const Verify *v)
{
    double sum = 0;
    for (int b = 0; b < v->report.batch; b++)
        sum += v->losses[(size_t)b * loss_places(v->model)];
    const Penalty penalty = penalty_of(v->model, NULL, v->parameters);
    return sum / v->report.batch + penalty.l1 + penalty.l2;
}

/* The loss is computed in two places, alone and on the way to the gradient: the one further from
   `theirs` counts. */
static double further(double a, double b, double theirs)
{
    return isnan(a) || fabs(a - theirs) > fabs(b - theirs) ? a : b;
}

/* Gradient of the sum of the losses, and the losses, of the batch as one group. */
static void run_backward(Verify *v)
{
    const Model *model = v->model;
    const int batch = v->report.batch;
    memset(v->gradient, 0, model->parameter_reals * sizeof(real));
    if (model->groups)
        groups_backward(&v->whole, v->prepared, v->images, NULL, batch,
                        model->microbatch ? model->microbatch : batch, v->gradient, v->losses,
                        v->shared, v->workspace, NULL);
    else
        model->backward_chunk(v->prepared, v->images, NULL, batch, v->gradient, v->losses,
                              v->workspace, NULL);
}

/* Exchanges the statistics with those that the batch has left in the gradient: by these inference
   comes to the very values of training. */
static void exchange_statistics(Verify *v)
{
    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        for (size_t k = p->offset; verify_is_statistic(v, i) && k < p->offset + p->count; k++) {
            const real seen = v->gradient[k];
            v->gradient[k] = v->parameters[k];
            v->parameters[k] = seen;
        }
    }
}

/* By the images, of all that is no statistic. */
static void divide_gradient(Verify *v)
{
    for (int i = 0; i < v->model->parameter_count; i++) {
        const ModelParameter *p = &v->model->parameters[i];
        for (size_t k = p->offset; !verify_is_statistic(v, i) && k < p->offset + p->count; k++)
            v->gradient[k] /= (real)v->report.batch;
    }
}

/* Takes the statistics from what they were, which is in the gradient, towards what was seen. */
static void move_statistics(Verify *v)
{
    if (!v->model->groups)
        return;
    exchange_statistics(v);
    groups_move_statistics(v->model, &v->whole, v->report.batch, v->parameters, v->gradient);
}

/* Loss and gradient with the present parameters, and with the batch's statistics, which stay in
   their place; returns the loss. v->gradient is that of the mean. */
static double run_step(Verify *v, double theirs)
{
    const Model *model = v->model;
    const int batch = v->report.batch;

    model->prepare(v->parameters, v->prepared);
    run_backward(v);
    const double trained = mean_loss(v);
    exchange_statistics(v);
    if (model->groups)
        model->prepare(v->parameters, v->prepared);
    divide_gradient(v);
    for (int b = 0; b < batch; b++)
        v->losses[(size_t)b * loss_places(model)] = model->loss(v->prepared, v->images[b],
                                                                v->workspace);
    penalty_add_gradient(model, NULL, v->parameters, 1, v->gradient);
    return further(mean_loss(v), trained, theirs);
}

static void compare_all(Verify *v)
{
    int last = v->report.updates ? v->report.steps : 0;
    double loss = 0; /* the largest difference so far */

    for (int step = 0; step <= last; step++) {
        safetensors_to_double(safetensors_find(&v->file, "loss"), v->theirs);
        double theirs = v->theirs[step], ours = run_step(v, theirs);
        if (step == 0) {
            compare_forward(v);
            compare_gradients(v);
        }
        double difference = fabs(ours - theirs) / (theirs == 0 ? 1 : fabs(theirs));
        /* takes NaN too, and keeps it */
        if (!(difference <= loss) && !isnan(loss))
            loss = difference;
        if (step == last)
            break;
        move_statistics(v);
        optimizer_update(&v->optimizer, v->parameters, v->gradient, 1, 1);
        compare_updates(v, step + 1);
    }
    verify_add_loss(&v->report, loss);
}

static int take_parameters(Verify *v, Error *error)
{
    const Model *model = v->model;
    unsigned char *there = memory_block((size_t)model->parameter_count, error);
    if (!there)
        return -1;
    for (int i = 0; i < model->parameter_count; i++) {
        const ModelParameter *p = &model->parameters[i];
        there[i] = !verify_may_lack(v, i) || verify_is_present(v, "step0/", p->name);
        for (size_t k = p->offset; !there[i] && k < p->offset + p->count; k++)
            v->parameters[k] = (real)p->fill;
    }
    const int result = weights_take(model, &v->file, v->path, "step0/", there, v->parameters,
                                    error);
    free(there);
    return result;
}

static int prepare_all(Verify *v, Error *error)
{
    int rows;

    if (weights_open(&v->file, v->path, error) != 0 || verify_check_file(v, error) != 0
        || read_optimizer(v, error) != 0)
        return -1;
    rows = 3 + v->model->parameter_count * (v->report.steps + 1);
    v->report.rows = memory_block((size_t)rows * sizeof *v->report.rows, error);
    if (!v->report.rows || allocate(v, error) != 0 || read_input(v, error) != 0)
        return -1;
    return take_parameters(v, error);
}

int verify_run(const Model *model, const char *path, bool json, Error *error)
{
    Verify v = { .model = model, .path = path, .report.model = model };
    int result = prepare_all(&v, error);

    if (result == 0) {
        compare_all(&v);
        if (json)
            verify_print_json(&v.report);
        else
            verify_print(&v.report);
        result = v.report.failed > 0;
    }
    optimizer_close(&v.optimizer);
    safetensors_free(&v.file);
    free(v.images);
    free(v.pixels);
    free(v.parameters);
    free(v.gradient);
    free(v.latent);
    free(v.output);
    free(v.losses);
    free(v.theirs);
    free(v.rounding);
    free(v.noise);
    free(v.prepared);
    free(v.workspace);
    free(v.shared);
    free(v.report.rows);
    return result;
}
