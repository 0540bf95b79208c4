#include "train_option_values.h"

#include "settings.h"
#include "train_option_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t option_count(const struct argp_state *state, int key, const char *text, uint64_t least,
                      uint64_t most)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!end || *end || errno || n < least || n > most) {
        if (most == UINT64_MAX)
            usage_error(state, "--%s %s: give a whole number, %llu or more", train_option_name(key),
                        text, (unsigned long long)least);
        usage_error(state, "--%s %s: give a whole number from %llu to %llu", train_option_name(key),
                    text, (unsigned long long)least, (unsigned long long)most);
    }
    return n;
}

double option_bound(const struct argp_state *state, int key, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x < 0)
        usage_error(state, "--%s %s: give a number, 0 or more", train_option_name(key), text);
    return x;
}

double option_ema(const struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !(x >= 0 && x <= SETTINGS_MAX_EMA))
        usage_error(state, "--ema %s: give a number from 0 to %g, as 0.99; 0: keep no averages",
                    text, SETTINGS_MAX_EMA);
    return x;
}

double option_lr(const struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    const double most = settings_optimizers[0].numbers[0].max; /* of lr, as of all optimizers */
    if (end == text || *end || !isfinite(x) || x <= 0 || x > most)
        usage_error(state, "--lr %s: give a positive number up to %g, as 0.001 or 1e-3", text,
                    most);
    return x;
}

size_t option_size(const struct argp_state *state, const char *text)
{
    char *end = NULL;
    double n = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    int shift = 0;
    if (end && *end) {
        const char *units = "KkMmGgTt", *unit = strchr(units, *end);
        if (unit) {
            shift = 10 * (int)((unit - units) / 2 + 1);
            end++;
            if (*end == 'i')
                end++;
        }
        if (*end == 'B')
            end++;
    }
    n = ldexp(n, shift);
    if (!end || *end || !(n < 0x1p62))
        usage_error(state,
                    "--cache-memory %s: give a size in bytes, which K, M or G may follow, as 512M",
                    text);
    return n < (double)(SIZE_MAX / 2) ? (size_t)n : SIZE_MAX / 2;
}

void option_checkpoint(const struct argp_state *state, TrainOptions *options, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    options->checkpoint_updates = 0;
    options->checkpoint_minutes = 0;
    if (end && !errno && n > 0 && strcmp(end, "") == 0)
        options->checkpoint_updates = n;
    else if (end && !errno && n > 0 && strcmp(end, "m") == 0)
        options->checkpoint_minutes = (double)n;
    else
        usage_error(
            state, "--checkpoint-every %s: give a number of updates, as 500, or of minutes, as 10m",
            text);
}
