#include "sample_numbers.h"

#include "../base/diag.h"

#include <stddef.h>
#include <string.h>

const Sample sample_default = { .height = 16,
                                .width = 16,
                                .ci = 3,
                                .co = 16,
                                .kernel = 3,
                                .stride = 1,
                                .up = 1,
                                .same = 1,
                                .dilation = 1,
                                .groups = 1 };

bool sample_set(Sample *sample, const char *name, int value)
{
    const struct {
        const char *name;
        int *place;
    } places[] = {
        { "H", &sample->height },
        { "W", &sample->width },
        { "CI", &sample->ci },
        { "CO", &sample->co },
        { "K", &sample->kernel },
        { "STRIDE", &sample->stride },
        { "UP", &sample->up },
        { "SAME", &sample->same },
        { "POOL", &sample->pool },
        { "KW", &sample->kernel_w },
        { "STRIDEW", &sample->stride_w },
        { "DILATION", &sample->dilation },
        { "GROUPS", &sample->groups },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].name, name) == 0) {
            *places[i].place = value;
            return true;
        }
    return false;
}

void sample_check(const Sample *sample)
{
    const struct {
        const char *name;
        int value, most;
    } numbers[] = {
        { "H", sample->height, 1 << 14 },
        { "W", sample->width, 1 << 14 },
        { "CI", sample->ci, 1 << 12 },
        { "CO", sample->co, 1 << 12 },
        { "K", sample->kernel, 255 },
        { "STRIDE", sample->stride, 255 },
        { "UP", sample->up, 16 },
        { "DILATION", sample->dilation, 255 },
        { "GROUPS", sample->groups, 1 << 12 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value < 1 || numbers[i].value > numbers[i].most)
            fail_with(EXIT_USAGE, "--expand: %s wants a whole number from 1 to %d", numbers[i].name,
                      numbers[i].most);
    if (sample->kernel_w > 255 || sample->stride_w > 255)
        fail_with(EXIT_USAGE, "--expand: KW and STRIDEW want whole numbers from 0 to 255");
    if (sample->pool > 16)
        fail_with(EXIT_USAGE, "--expand: POOL wants a whole number from 0 to 16");
}
