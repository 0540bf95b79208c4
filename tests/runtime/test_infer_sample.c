/* The command sample: pictures of standard normal latents, the same for a seed and a place, however
   many and on how many threads; and what it refuses. */
#include "infer_runs.h"

#include "images/image.h"
#include "infer/commands_infer.h"
#include "tiny_model.h"

#include <math.h>
#include <string.h>

static const Model *normal_model(void)
{
    static Model model;
    model = tiny_batched();
    model.latent_is_normal = 1;
    return &model;
}

/* By weights that hand three features on, so that an output is max(latent, 0). */
static int sample(const char *count, uint64_t seed, int threads, const char *path, Error *error)
{
    static real parameters[REALS];
    char *words[] = { (char *)count };
    const InferOptions options = { .arguments = words, .count = 1, .output = path, .seed = seed };
    Infer infer;
    for (int colour = 0; colour < 3; colour++)
        parameters[K2 + (4 * 4 + colour) * 3 + colour] = 1;
    assert_int_equal(infer_open(&infer, normal_model(), parameters, threads, error), 0);
    const int result = command_sample(&infer, &options, error);
    infer_close(&infer);
    return result;
}

static Image sampled(const char *count, uint64_t seed, int threads)
{
    Image image;
    Error error;
    if (sample(count, seed, threads, at("sample.png"), &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(image_read(&image, at("sample.png"), &error), 0);
    return image;
}

enum { STEP = SIDE + 2 }; /* from one picture of a sheet to the next */

static const uint8_t *cell(const Image *sheet, int i, int row)
{
    return sheet->pixels + ((i / 16 * STEP + row) * sheet->width + i % 16 * STEP) * 3;
}

static void one_picture_is_the_same(void **state)
{
    (void)state;
    const Image few = sampled("3", 7, 1), many = sampled("20", 7, 3), other = sampled("3", 8, 1);
    assert_int_equal(few.width, 3 * SIDE + 2 * 2);
    assert_int_equal(many.width, 16 * SIDE + 15 * 2);
    assert_int_equal(many.height, 2 * SIDE + 2);
    int differs = 0;
    for (int i = 0; i < 3; i++)
        for (int row = 0; row < SIDE; row++) {
            assert_memory_equal(cell(&few, i, row), cell(&many, i, row), SIDE * 3);
            differs += memcmp(cell(&few, i, row), cell(&other, i, row), SIDE * 3) != 0;
        }
    assert_int_equal(differs, 3 * SIDE);
    image_free((Image *)&few);
    image_free((Image *)&many);
    image_free((Image *)&other);
}

/* Half of the latents are below 0 and 15.87 % above 1, and those between 0 and 1/2 are 19.15 %:
   within five deviations of as many numbers, and what half a level of a byte holds. */
static void latents_are_normal(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    const Image sheet = sampled("200", 1, 2);
    const double n = COUNT * 4 * 4 * 3;
    double below = 0, above = 0, middle = 0;
    for (int i = 0; i < COUNT; i++)
        for (int row = 0; row < SIDE; row += 2)
            for (int k = 0; k < SIDE * 3; k++) {
                const uint8_t v = cell(&sheet, i, row)[k];
                if (k / 3 % 2)
                    continue;
                below += v == 0;
                above += v == 255;
                middle += v > 0 && v < 128;
            }
    assert_true(fabs(below / n - 0.5) < 5 * 0.5 / sqrt(n) + 0.002);
    assert_true(fabs(above / n - 0.158655) < 5 * 0.366 / sqrt(n) + 0.002);
    assert_true(fabs(middle / n - 0.191462) < 5 * 0.394 / sqrt(n) + 0.002);
    image_free((Image *)&sheet);
}

static void refusals(void **state)
{
    static const char *const counts[] = { "0", "-1", "4097", "3x", "" };
    Error error;
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sample(counts[i], 1, 1, at("no.png"), &error), -1);
        assert_int_equal(error.exit_code, 2);
        assert_non_null(strstr(error.text, "a whole number from 1 to 4096"));
    }
    assert_int_equal(sample("3", 1, 1, at("no.jpg"), &error), -1);
    assert_non_null(strstr(error.text, ".png"));
    assert_int_equal(sample("3", 1, 1, at("none/no.png"), &error), -1);
    assert_int_equal(error.exit_code, 3);
    assert_false(exists("no.png"));
    assert_int_equal(RUN("--weights", weights, "sample", "3", "-o", at("no.png")), 2);
    assert_non_null(strstr(text, "the latent of tiny is no gaussian_sample"));
    assert_int_equal(RUN("--weights", weights, "sample", "-o", at("no.png")), 2);
    assert_int_equal(RUN("--weights", weights, "sample", "3"), 2);
    assert_int_equal(RUN("sample", "3", "-o", at("no.png")), 2);
    assert_false(exists("no.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals), /* runs the program in a child: before threads start */
        cmocka_unit_test(one_picture_is_the_same),
        cmocka_unit_test(latents_are_normal),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
