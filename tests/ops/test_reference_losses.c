/* Losses and their gradients against TensorFlow's in float64: tests/reference/losses.txt, which
   losses.py beside it writes. */
#include "build.h"
#include "cases.h"
#include "drive.h"
#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A network whose output is its last bias, whatever the image. */
static Net constant_net(const char *loss, int height, int width, int channels)
{
    return (Net){ .height = height,
                  .width = width,
                  .channels = channels,
                  .loss = loss,
                  .encoder = { { FLATTEN }, { DENSE, .units = 1 } },
                  .decoder = { { DENSE, .units = height * width * channels },
                               { RESHAPE, .shape = { height, width, channels } } } };
}

/* As losses.py makes them. */
static void fill(uint8_t *image, double *output, int count)
{
    for (int i = 0; i < count; i++) {
        const int pixel = (i * i / 7 + 31 * i) % 256;
        image[i] = (uint8_t)pixel;
        output[i] = (pixel * 3 / 2 + i * 53 % 401) / 1000.0;
    }
}

static void check(const Net *net, double right, const double *slopes)
{
    const double bound = sizeof(real) == 8 ? 1e-12 : 3e-6;
    const int count = net->height * net->width * net->channels;
    int all;
    double *parameters = net_parameters(net, 1, &all), loss;
    uint8_t *image = net_image(net, 1);
    memset(parameters, 0, (size_t)all * sizeof *parameters);
    fill(image, parameters + all - count, count);
    char *graph = net_graph(net);
    Built built = build_model_merged(graph, "--target x86-64-v3");
    Driven driven = drive_new(built.model, parameters);
    double *gradient = drive_gradient(&driven, &image, 1, NULL, &loss);
    if (!(fabs(loss / right - 1) <= bound))
        fail_msg("%s of %dx%dx%d: %.17g, not %.17g", net->loss, net->height, net->width,
                 net->channels, loss, right);
    const double off = relative_difference(gradient + all - count, slopes, (size_t)count);
    if (!(off <= 10 * bound))
        fail_msg("%s of %dx%dx%d: the gradient is off by %g", net->loss, net->height, net->width,
                 net->channels, off);
    free(gradient);
    drive_free(&driven);
    built_free(&built);
    free(graph);
    free(image);
    free(parameters);
}

static double next_number(char **at)
{
    char *end;
    const double number = strtod(*at, &end);
    assert_true(end != *at);
    *at = end;
    return number;
}

static void check_line(char *line)
{
    char *at = strchr(line, '\t');
    *at++ = '\0';
    const int height = (int)next_number(&at), width = (int)next_number(&at),
              channels = (int)next_number(&at), count = height * width * channels;
    const double loss = next_number(&at);
    double *slopes = calloc((size_t)count, sizeof *slopes);
    assert_non_null(slopes);
    for (int i = 0; i < count; i++)
        slopes[i] = next_number(&at);
    const Net net = constant_net(line, height, width, channels);
    check(&net, loss, slopes);
    free(slopes);
}

static void all_lines(void **state)
{
    (void)state;
    char *path = text_of("%s/tests/reference/losses.txt", project_folder()),
         *text = file_read(path, NULL);
    int lines = 0;
    for (char *line = text, *end; *line; line = end + 1, lines++) {
        end = strchr(line, '\n');
        *end = '\0';
        check_line(line);
    }
    assert_in_range(lines, 5, 100);
    free(text);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_lines) };
    return cmocka_run_group_tests_name("reference_losses", tests, NULL, NULL);
}
