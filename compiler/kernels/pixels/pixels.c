#include "pixels.h"

void step_pixels(Step *step, Shape shape)
{
    const bool image = shape.rank == 3, signal = image && shape.dim[0] == 1;
    step_number(step, "PIXEL_ROWS", !image ? 1 : signal ? shape.dim[1] : shape.dim[0]);
    step_number(step, "PIXEL_COLUMNS", !image || signal ? 1 : shape.dim[1]);
    step_number(step, "CHANNELS", shape.dim[shape.rank - 1]);
}

void step_block(Step *step, int channels)
{
    int block = channels;
    while (channels <= 16 && (block % 16 > 0 || block == 16))
        block += channels;
    step_number(step, "BLOCK", block);
}

void step_sums(Step *step, int reals, int doubles, const Settings *settings)
{
    const size_t wide = sizeof(double) / (size_t)settings_real_bytes(settings);
    step_scratch(step, (size_t)reals + 1 + (size_t)doubles * wide);
}
