/* verify_file.c - whether a file is a reference of the model, and what it holds. */
#include "verify_private.h"

#include "weights/weights.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds a tensor with a value per image: [batch] + shape. */
static const SafetensorsEntry *find_batched(const Verify *v, const char *name,
                                            const ModelShape *shape, Error *error)
{
    int dim[5] = { v->report.batch };
    for (int i = 0; i < shape->rank; i++)
        dim[i + 1] = shape->dim[i];
    return weights_find(&v->file, v->path, "", name, shape->rank + 1, dim, error);
}

/* The batch's size stands in the input, the number of updates in the losses. */
static int read_sizes(Verify *v, Error *error)
{
    const SafetensorsEntry *input = safetensors_find(&v->file, "input"),
                           *loss = safetensors_find(&v->file, "loss");

    if (!input || !loss)
        return error_set(error, EXIT_INPUT, "%s: tensor %s is missing; this is no reference file",
                         v->path, input ? "loss" : "input");
    if (input->rank < 1 || input->shape[0] < 1 || input->shape[0] > INT_MAX)
        return error_set(
            error, EXIT_INPUT,
            "%s: tensor input holds no images; its shape must be [batch, height, width, channels]",
            v->path);
    if (loss->rank != 1 || loss->shape[0] < 1 || loss->shape[0] > 1000000
        || (loss->type != SAFETENSORS_F32 && loss->type != SAFETENSORS_F64))
        return error_set(
            error, EXIT_INPUT,
            "%s: tensor loss must be a list of F32 or F64: one before each update and one after "
            "the last",
            v->path);
    v->report.batch = (int)input->shape[0];
    v->report.steps = (int)loss->shape[0] - 1;
    return 0;
}

bool verify_trains(const Verify *v, int parameter)
{
    return !v->model->trains || v->model->trains[parameter];
}

bool verify_is_statistic(const Verify *v, int i)
{
    return v->model->groups && v->model->groups->momenta[i] >= 0;
}

bool verify_may_lack(const Verify *v, int i)
{
    for (int k = 0; k < v->model->warmup_count; k++)
        if (v->model->warmups[k].parameter == i)
            return true;
    return verify_is_statistic(v, i);
}

bool verify_is_present(const Verify *v, const char *prefix, const char *name)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return safetensors_find(&v->file, full) != NULL;
}

/* Every tensor that must be there is, with its shape. */
static int check_present(const Verify *v, Error *error)
{
    char prefix[32];

    if (!find_batched(v, "input", &v->model->input, error)
        || !find_batched(v, "latent", &v->model->latent, error)
        || !find_batched(v, "output", &v->model->output, error))
        return -1;
    for (int step = -1; step <= v->report.steps; step++) {
        if (step < 0)
            strcpy(prefix, "grad/");
        else
            snprintf(prefix, sizeof prefix, "step%d/", step);
        for (int i = 0; i < v->model->parameter_count; i++) {
            const ModelParameter *p = &v->model->parameters[i];
            if (step < 0 && !verify_trains(v, i))
                continue;
            if (verify_may_lack(v, i) && !verify_is_present(v, prefix, p->name))
                continue;
            if (!weights_find(&v->file, v->path, prefix, p->name, p->shape.rank, p->shape.dim,
                              error))
                return -1;
        }
    }
    return 0;
}

static bool is_expected(const Verify *v, const char *name)
{
    static const char *const plain[] = { "input", "latent", "output", "loss" };
    char prefix[32];

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(name, plain[i]) == 0)
            return true;
    const char *slash = strchr(name, '/');
    if (!slash)
        return false;
    int known = strncmp(name, "grad/", 5) == 0;
    if (strncmp(name, "step", 4) == 0) {
        /* printed again, so that "step01/" is not taken for "step1/" */
        long step = strtol(name + 4, NULL, 10);
        snprintf(prefix, sizeof prefix, "step%ld/", step);
        known = step >= 0 && step <= v->report.steps && strncmp(name, prefix, strlen(prefix)) == 0;
    }
    for (int i = 0; known && i < v->model->parameter_count; i++)
        if (strcmp(slash + 1, v->model->parameters[i].name) == 0)
            return true;
    return false;
}

static int check_extra(const Verify *v, Error *error)
{
    for (int i = 0; i < v->file.count; i++)
        if (!is_expected(v, v->file.entries[i].name))
            return error_set(
                error, EXIT_INPUT,
                "%s: tensor %.200s is one too many: neither input, latent, output, loss (of %d "
                "updates), nor "
                "grad/ or step<k>/ of a parameter of %s",
                v->path, v->file.entries[i].name, v->report.steps, v->model->name);
    return 0;
}

int verify_check_file(Verify *v, Error *error)
{
    return read_sizes(v, error) != 0 || check_present(v, error) != 0 || check_extra(v, error) != 0
               ? -1
               : 0;
}
