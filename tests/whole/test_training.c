/* The training table on the command line, and a network whose noise, dropout and mirror images
   repeat to the bit. */
#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <stdlib.h>
#include <string.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    pictures_write(folder, "train", 36, 1);
    pictures_write(folder, "val", 10, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void train_ok(const char *program, const char *out, const char *options)
{
    Result result = run(folder, "%s --train train --val val --out %s %s", program, out, options);
    want_exit(&result, 0);
    assert_string_equal(result.err, "");
    result_free(&result);
}

static bool same_weights(const char *a, const char *b)
{
    size_t length_a, length_b;
    char *path_a = text_of("%s/%s/last.safetensors", folder, a),
         *path_b = text_of("%s/%s/last.safetensors", folder, b);
    char *bytes_a = file_read(path_a, &length_a), *bytes_b = file_read(path_b, &length_b);
    /* after the header, which has the seconds */
    const char *data_a = bytes_a + length_a / 2, *data_b = bytes_b + length_b / 2;
    bool same = length_a == length_b && memcmp(data_a, data_b, length_a - length_a / 2) == 0;
    free(bytes_a);
    free(bytes_b);
    free(path_a);
    free(path_b);
    return same;
}

static void a_noisy_run_repeats(void **state)
{
    (void)state;
    train_ok(NOISY_TRAIN, "one", "--batch 8 --epochs 2 --threads 1");
    train_ok(NOISY_TRAIN, "three", "--batch 8 --epochs 2 --threads 3");
    assert_true(same_weights("one", "three"));
    train_ok(NOISY_TRAIN, "pieces", "--batch 8 --epochs 2 --steps 3");
    train_ok(NOISY_TRAIN, "pieces", "--resume --epochs 2 --steps 7 --threads 2");
    train_ok(NOISY_TRAIN, "pieces", "--resume --epochs 2");
    assert_true(same_weights("one", "pieces"));
    train_ok(NOISY_TRAIN, "seed", "--batch 8 --epochs 2 --seed 2");
    assert_false(same_weights("one", "seed"));
    train_ok(NOISY_TRAIN, "unmirrored", "--batch 8 --epochs 2 --no-mirror");
    assert_false(same_weights("one", "unmirrored"));
    /* the same but for what is drawn */
    train_ok(SMALL_TRAIN, "clean", "--batch 8 --epochs 2 --mirror --schedule cosine,warmup=1");
    assert_false(same_weights("one", "clean"));
}

static void help_shows_the_graphs_defaults(void **state)
{
    (void)state;
    setenv("ARGP_HELP_FMT", "rmargin=400", 1);
    Result small = run(folder, SMALL_TRAIN " --help"), noisy = run(folder, NOISY_TRAIN " --help");
    unsetenv("ARGP_HELP_FMT");
    want_exit(&small, 0);
    want_exit(&noisy, 0);
    assert_non_null(
        strstr(small.out, "(the graph's: adam,lr=0.001,beta1=0.9,beta2=0.999,eps=1e-07)"));
    assert_non_null(strstr(small.out, "(the graph's: constant,warmup=0)"));
    assert_non_null(strstr(small.out, "run caec again (the graph's: mse)"));
    for (int i = 0; i < 2; i++) {
        Result *graph = i ? &noisy : &small;
        const char *says = i ? "(the graph's: mirror = true)" : "(the graph's: mirror = false)";
        char *mirror = text_of("or mirrored, at random %s\n", says),
             *plain = text_of("  pictures enter as they are %s\n", says);
        assert_non_null(strstr(graph->out, mirror));
        assert_non_null(strstr(graph->out, plain));
        free(mirror);
        free(plain);
    }
    assert_non_null(strstr(small.out, "(the graph's: 40)"));
    assert_non_null(strstr(noisy.out, "(the graph's: cosine,min_lr=0,warmup=1)"));
    result_free(&small);
    result_free(&noisy);
}

/* What an option asks for is what the run says it does. */
static void options_go_before_the_graph(void **state)
{
    (void)state;
    Result result = run(
        folder, NOISY_TRAIN
        " --train train --out said --batch 8 --steps 1 --optimizer sgd,momentum=0.9 --lr 0.02 "
        "--loss mse --schedule reduce_on_plateau,patience=4 --clip-value 0.5 --patience 7 "
        "--min-delta 0.001 --no-mirror");
    want_exit(&result, 0);
    assert_non_null(strstr(
        result.out, "\nsgd,lr=0.02,momentum=0.9,nesterov=false; "
                    "reduce_on_plateau,factor=0.1,patience=4,min_delta=0.0001,cooldown=0,min_lr=0,"
                    "warmup=0; clip_value 0.5; patience 7; min_delta 0.001\n"));
    result_free(&result);
    result = run(folder,
                 NOISY_TRAIN " --train train --out said --resume --steps 2 --optimizer adamw");
    want_refusal(&result, 2, "is trained by sgd");
    result_free(&result);
}

/* val_loss, or loss where there is no validation. */
static void what_a_run_goes_by_is_named(void **state)
{
    (void)state;
    static const char *const words[][3] = {
        { "--val val", "\nstopped early: no val_loss lower than ",
          "; the lowest val_loss is in watched/best.safetensors" },
        { "", "\nstopped early: no loss lower than ",
          "; the lowest loss is in watched/best.safetensors" },
    };
    for (int i = 0; i < 2; i++) {
        Result result = run(
            folder,
            SMALL_TRAIN
            " --train train %s --out watched --batch 18 --epochs 3 --patience 1 --min-delta 100",
            words[i][0]);
        want_exit(&result, 0);
        assert_non_null(strstr(result.out, words[i][1]));
        assert_non_null(strstr(result.out, words[i][2]));
        result_free(&result);
    }
}

static void wrong_words(void **state)
{
    (void)state;
    static const struct {
        const char *words, *message;
    } wrong[] = {
        { "--optimizer lion",
          "--optimizer lion: no optimizer is called that; there are adam, adamw, sgd" },
        { "--optimizer sgd,beta1=0.9",
          "beta1=0.9: give numbers of sgd as NAME=NUMBER; it has lr, momentum, nesterov" },
        { "--optimizer sgd,momentum=2", "momentum of sgd is a number from 0 to 0.999999" },
        { "--schedule linear",
          "no schedule is called that; there are constant, step, cosine, reduce_on_plateau" },
        { "--schedule step,every=0", "every of step is a whole number from 1" },
        { "--patience -1", "--patience -1: give a whole number" },
        /* as checkpoints hold them */
        { "--lr 1001", "--lr 1001: give a positive number up to 1000" },
        { "--epochs 16777217", "--epochs 16777217: give a whole number from 1 to 16777216" },
        { "--patience 1.5", "--patience 1.5: give a whole number" },
        { "--min-delta x", "--min-delta x: give a number, 0 or more" },
        { "--clip-norm -1", "--clip-norm -1: give a number, 0 or more" },
        { "--clip-value nan", "--clip-value nan: give a number, 0 or more" },
        { "--ema 1", "--ema 1: give a number from 0 to 0.999999, as 0.99; 0: keep no averages" },
        { "--clip-norm 1 --global-clip-norm 1",
          "--clip-norm, --global-clip-norm and --clip-value exclude each other" },
        { "--lr 0.01 --optimizer adam,lr=0.1",
          "--lr and --optimizer adam,lr=0.1 both set the learning rate; give it once" },
        { "--optimizer sgd,momentum=0.9,lr=0.1 --lr 0.1", "both set the learning rate" },
        { "--mirror --no-mirror", "--mirror and --no-mirror exclude each other" },
        { "--loss mae",
          "--loss mae: the loss is compiled in, here \"mse\"; write loss = \"mae\" in the training "
          "table of small.lua, then compile it" },
        { "--loss bce --help", "--loss bce: the loss is compiled in" },
        { "--loss mse,", "--loss mse,: the loss is compiled in" },
        { "bench --loss mse", "--loss does not go with bench" },
        { "bench --mirror", "--mirror does not go with bench" },
        { "verify x --optimizer sgd", "--optimizer does not go with verify" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Result result = run(folder, SMALL_TRAIN " %s", wrong[i].words);
        want_exit(&result, 2);
        if (!strstr(result.err, wrong[i].message))
            fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i].words, result.err,
                     wrong[i].message);
        assert_string_equal(result.out, "");
        result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noisy_run_repeats),
        cmocka_unit_test(help_shows_the_graphs_defaults),
        cmocka_unit_test(options_go_before_the_graph),
        cmocka_unit_test(what_a_run_goes_by_is_named),
        cmocka_unit_test(wrong_words),
    };
    return cmocka_run_group_tests_name("whole training", tests, set_up, tear_down);
}
