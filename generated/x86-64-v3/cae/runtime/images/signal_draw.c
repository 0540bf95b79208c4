#include "signal_draw.h"

#include "pictures_random.h"

#include <stddef.h>

/* Every machine must draw the same bytes, so all of it is computed in integers. A phase is a part
   of a turn in 1/2^32; sines, weights and levels are in 1/32768 and 1/256 of a grey value. */
enum { ONE = 32768, HARMONICS = 3, GREY = 256, MOST = 255 * GREY };

/* The polynomial in t^1, t^3, t^5 that meets the sine at a quarter turn, and its slope there and at
   0; within 0.0002 of it. */
static int sine(uint32_t phase)
{
    int t = (int)(phase >> 15 & (ONE - 1)), quarter = (int)(phase >> 30);
    t = quarter & 1 ? ONE - t : t;
    int64_t square = (int64_t)t * t / ONE;
    int64_t value = t * (51472 - square * (21024 - 2320 * square / ONE) / ONE) / ONE;
    return (int)(quarter & 2 ? -value : value);
}

/* A number that drifts around 0: a wave of a period of some hundred samples. */
typedef struct Drift {
    uint32_t phase, step;
    int depth; /* in 1/32768 */
} Drift;

static uint32_t step_of(int64_t period)
{
    return (uint32_t)((INT64_C(1) << 32) / period);
}

static Drift choose_drift(Random *random, int least, int most)
{
    Drift drift = { .phase = random_next(random) };
    drift.step = step_of(random_between(random, 150, 900));
    drift.depth = (int)random_between(random, least, most);
    return drift;
}

/* 32768 is 1. */
static int64_t drift_at(const Drift *drift, int t)
{
    return (int64_t)drift->depth * sine(drift->phase + (uint32_t)t * drift->step) / ONE;
}

/* The moment: what all channels of a signal have in common. */
typedef struct Turning {
    uint32_t phase, step;
    Drift speed, load, level;
} Turning;

static Turning choose_turning(Random *random)
{
    Turning turning = { .phase = random_next(random) };
    turning.step = step_of(random_between(random, 24, 72));
    turning.speed = choose_drift(random, 0, ONE / 5);
    turning.load = choose_drift(random, 0, ONE / 3);
    turning.level = choose_drift(random, 0, ONE / 10);
    return turning;
}

/* The machine: what a channel is like in every signal. */
typedef struct Sensor {
    int weight[HARMONICS]; /* in grey values */
    uint32_t phase[HARMONICS];
} Sensor;

static Sensor sensor_of(int channel)
{
    static const int weights[HARMONICS][2] = { { 30, 50 }, { 8, 20 }, { 2, 10 } };
    Random random = random_of(0, (uint64_t)channel);
    Sensor sensor;
    for (int i = 0; i < HARMONICS; i++) {
        sensor.weight[i] = (int)random_between(&random, weights[i][0], weights[i][1]);
        sensor.phase[i] = random_next(&random);
    }
    return sensor;
}

/* In 1/256 of a grey value, around 0. */
static int64_t sensed(const Sensor *sensor, uint32_t phase)
{
    int64_t sum = 0;
    for (int i = 0; i < HARMONICS; i++)
        sum += (int64_t)sensor->weight[i] * sine(phase * (uint32_t)(i + 1) + sensor->phase[i])
               / (ONE / GREY);
    return sum;
}

static uint8_t to_grey(int64_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > MOST ? 255 : (value + GREY / 2) / GREY);
}

/* One channel; the others' samples lie between its own. */
static void draw_channel(const Turning *turning, const Sensor *sensor, Random noise, int length,
                         int channels, uint8_t *out)
{
    uint32_t phase = turning->phase;
    for (int t = 0; t < length; t++, out += channels) {
        int64_t load = ONE - ONE / 6 + drift_at(&turning->load, t);
        int64_t value = MOST / 2 + MOST * drift_at(&turning->level, t) / ONE
                        + sensed(sensor, phase) * load / ONE;
        *out = to_grey(value + random_between(&noise, -2 * GREY, 2 * GREY));
        phase += turning->step + (uint32_t)(turning->step * drift_at(&turning->speed, t) / ONE);
    }
}

void signal_draw(uint64_t seed, uint64_t index, int length, int channels, uint8_t *out)
{
    Random random = random_of(seed, index);
    Turning turning = choose_turning(&random);
    for (int c = 0; c < channels; c++) {
        Sensor sensor = sensor_of(c);
        Random noise = { random_next(&random) };
        draw_channel(&turning, &sensor, noise, length, channels, out + c);
    }
}

/* ---- Anomalies ---- */

/* Samples from <= t < to of one channel. */
typedef struct Stretch {
    uint8_t *samples;
    int from, to, channels;
} Stretch;

static uint8_t *sample_at(const Stretch *stretch, int t)
{
    return stretch->samples + (size_t)t * (size_t)stretch->channels;
}

/* 0 at both ends, 32768 in the middle. */
static int64_t tent(const Stretch *stretch, int t)
{
    int before = t - stretch->from + 1, after = stretch->to - t;
    return INT64_C(2) * ONE * (before < after ? before : after) / (stretch->to - stretch->from + 1);
}

static void add(const Stretch *stretch, int t, int64_t value)
{
    uint8_t *sample = sample_at(stretch, t);
    *sample = to_grey(*sample * GREY + value);
}

/* To where there is room. */
static int away_from(uint8_t level)
{
    return level < 128 ? 1 : -1;
}

static void add_spike(const Stretch *stretch, Random *random)
{
    int64_t height = away_from(*sample_at(stretch, stretch->from))
                     * random_between(random, 100, 140) * GREY;
    for (int t = stretch->from; t < stretch->to; t++)
        add(stretch, t, height * tent(stretch, t) / ONE);
}

static void add_flat(const Stretch *stretch, Random *random)
{
    (void)random;
    for (int t = stretch->from; t < stretch->to; t++)
        *sample_at(stretch, t) = *sample_at(stretch, stretch->from);
}

static void add_jump(const Stretch *stretch, Random *random)
{
    int64_t sign = random_next(random) >> 31 ? 1 : -1;
    int64_t height = sign * random_between(random, 35, 60) * GREY;
    for (int t = stretch->from; t < stretch->to; t++)
        add(stretch, t, height);
}

static void add_burst(const Stretch *stretch, Random *random)
{
    int64_t height = random_between(random, 40, 70) * GREY;
    uint32_t step = step_of(random_between(random, 5, 8));
    for (int t = stretch->from; t < stretch->to; t++)
        add(stretch, t, height * tent(stretch, t) / ONE * sine((uint32_t)t * step) / ONE);
}

void signal_add_anomaly(uint64_t seed, uint64_t index, int length, int channels, uint8_t *signal)
{
    /* what it does, and over which part of the signal: 0: to its end */
    static const struct {
        void (*add)(const Stretch *stretch, Random *random);
        int part;
    } kinds[] = { { add_spike, 64 }, { add_flat, 8 }, { add_jump, 0 }, { add_burst, 8 } };
    int kind = (int)(index % 4), part = kinds[kind].part;
    Random random = random_of(~seed, index);
    Stretch stretch = { .samples = signal + random_between(&random, 0, channels - 1),
                        .channels = channels };
    stretch.from = (int)random_between(&random, length / 8, length / 2);
    stretch.to = part ? stretch.from + length / part + 2 : length;
    kinds[kind].add(&stretch, &random);
}
