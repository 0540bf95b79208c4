#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include "formats/printable.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_BAR = 30, MIN_BAR = 8, LINE_SIZE = 1024, TIME_SIZE = 32 };
static const double bar_pause = 0.1, line_pause = 10; /* seconds between two drawings */

void progress_open(Progress *p, FILE *out, bool terminal, double (*now)(void))
{
    memset(p, 0, sizeof *p);
    p->out = out;
    p->terminal = terminal;
    p->now = now;
}

static void clear_line(Progress *p)
{
    if (p->open_line)
        fputs("\r\033[K", p->out);
    p->open_line = 0;
}

void progress_stage(Progress *p, int stage, int stages)
{
    p->stage = stage;
    p->stages = stages;
}

/* "Stage 2/4 - Epoch 7/40" */
static void print_epoch(const Progress *p)
{
    if (p->stages)
        fprintf(p->out, "Stage %d/%d - ", p->stage, p->stages);
    fprintf(p->out, "Epoch %zu", p->epoch);
    if (p->epochs)
        fprintf(p->out, "/%zu", p->epochs);
}

void progress_epoch(Progress *p, size_t epoch, size_t epochs, size_t steps)
{
    p->epoch = epoch;
    p->epochs = epochs;
    p->steps = steps;
    p->drawn = p->now();
    if (!p->terminal)
        return;
    print_epoch(p);
    fputc('\n', p->out);
    fflush(p->out);
}

static int columns(const Progress *p)
{
    struct winsize size;
    if (ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* 75 s is 01:15, an hour and more 1:02:03. */
static void write_time(double seconds, char *text)
{
    unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;
    if (s >= 3600)
        snprintf(text, TIME_SIZE, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, TIME_SIZE, "%02lu:%02lu", s / 60, s % 60);
}

static int digits(size_t n)
{
    return snprintf(NULL, 0, "%zu", n);
}

/* " 7/19 [=====>......] " and what follows it. The bar gives way in a narrow window, so that the
   line does not wrap; then its end goes. */
static void draw(Progress *p, size_t step, const char *rest)
{
    char bar[MAX_BAR + 1], line[2 * LINE_SIZE];
    int width = columns(p) - 1, counter = digits(p->steps);
    int room = width - 2 * counter - 5 - (int)strlen(rest);
    int length = room > MAX_BAR ? MAX_BAR : room < MIN_BAR ? MIN_BAR : room;
    int full = p->steps ? (int)((double)length * (double)step / (double)p->steps) : length;

    if (full > length)
        full = length;
    memset(bar, '.', (size_t)length);
    memset(bar, '=', (size_t)full);
    if (full < length)
        bar[full] = '>';
    bar[length] = '\0';
    snprintf(line, sizeof line, "%*zu/%zu [%s] %s", counter, step, p->steps, bar, rest);
    clear_line(p);
    fprintf(p->out, "%.*s", width, line);
    fflush(p->out);
    p->open_line = 1;
}

/* A line where there is no bar: "Epoch 3/40 - 7/19 - ..." */
static void print_line(Progress *p, size_t step, const char *rest)
{
    print_epoch(p);
    fprintf(p->out, " - %zu/%zu - %s\n", step, p->steps, rest);
    fflush(p->out);
}

/* " - loss: 0.01234 - mse: 0.009 - ssim: 0.2" behind what the line has; nothing of what is NaN. */
static void add_loss(const Progress *p, char *line, const char *prefix, ProgressLoss loss)
{
    for (int i = -1; i < (loss.terms ? p->term_count : 0); i++) {
        const double value = i < 0 ? loss.loss : loss.terms[i];
        const size_t used = strlen(line);
        if (!isnan(value))
            snprintf(line + used, LINE_SIZE - used, " - %s%s: %.4g", prefix,
                     i < 0 ? "loss" : p->terms[i], value);
    }
}

void progress_step(Progress *p, size_t step, double images_per_second, double seconds_left,
                   ProgressLoss loss)
{
    char rest[LINE_SIZE], left[TIME_SIZE];
    double now = p->now();

    if (now - p->drawn < (p->terminal ? bar_pause : line_pause))
        return;
    p->drawn = now;
    write_time(seconds_left, left);
    snprintf(rest, sizeof rest, "%.0f images/s - %s left", images_per_second, left);
    add_loss(p, rest, "", loss);
    if (p->terminal)
        draw(p, step, rest);
    else
        print_line(p, step, rest);
}

void progress_validation(Progress *p)
{
    if (p->terminal)
        draw(p, p->steps, "validation ...");
}

void progress_end(Progress *p, size_t step, double images_per_second, double seconds,
                  ProgressLoss loss, ProgressLoss val_loss)
{
    char rest[LINE_SIZE], time[TIME_SIZE];
    write_time(seconds, time);
    snprintf(rest, sizeof rest, "%.0f images/s - %s", images_per_second, time);
    add_loss(p, rest, "", loss);
    add_loss(p, rest, "val_", val_loss);
    if (p->terminal) {
        draw(p, step, rest);
        fputc('\n', p->out);
        fflush(p->out);
    } else {
        print_line(p, step, rest);
    }
    p->open_line = 0;
    p->steps = 0;
}

void progress_say(Progress *p, FILE *to, const char *text)
{
    clear_line(p);
    fflush(p->out);
    printable_put(to, text);
    fputc('\n', to);
    fflush(to);
}

void progress_close(Progress *p)
{
    if (p->open_line)
        fputc('\n', p->out);
    fflush(p->out);
    p->open_line = 0;
}
