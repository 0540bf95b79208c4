/* What a library needs and shows: no function of a C library but four, no name but its own, no
 * variables; its header in C++; its folder as it is; two of them in one program; and what the
 * command line refuses. */
#include "library.h"

#include "images/pixels.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Each line of nm: address or blanks, a letter, a name. Names without the prefix must be undefined
   ones of the four. Letters of data: none. */
static void check_names(const char *listed, const char *prefix, int *own)
{
    static const char *const allowed[] = { "memcpy", "memmove", "memset", "memcmp", NULL };
    *own = 0;
    char *copy = text_of("%s", listed);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        char letter, name[200];
        if (sscanf(line, "%*x %c %199s", &letter, name) != 2
            && sscanf(line, " %c %199s", &letter, name) != 2)
            continue;
        bool is_own = strncmp(name, prefix, strlen(prefix)) == 0;
        if (letter == 'U' && !is_own && !among(name, allowed))
            fail_msg("%s is undefined", name);
        if (strchr("BDCSGbdsg", letter))
            fail_msg("%s is a variable", name);
        if (isupper((unsigned char)letter) && letter != 'U') {
            if (!is_own)
                fail_msg("%s is defined for all to see", name);
            ++*own;
        }
    }
    free(copy);
}

/* Compiled with these flags alone, as somebody without the folder's CMakeLists.txt does. */
static void check_alone(const char *graph, const char *options, const char *flags)
{
    char *folder = library_write(graph, options);
    char *example = text_of("%s/net/example.c", folder);
    assert_int_equal(remove(example), 0);
    char *sources = emitted_sources(folder);
    Result made = run(
        folder,
        "%s -std=c11 -ffreestanding %s -Wall -Wextra -Wpedantic -Wshadow -Werror -nostdlib -r "
        "-Inet%s -o all.o",
        c_compiler(), flags, sources);
    want_exit(&made, 0);
    Result names = run(folder, "nm all.o");
    want_exit(&names, 0);
    int own;
    check_names(names.out, "net_", &own);
    assert_true(own > 8);
    result_free(&made);
    result_free(&names);
    free(example);
    free(sources);
    folder_remove(folder);
}

/* The words that net_cae lacks: their kernels, and the functions of <math.h> they would call. */
static const char net_words[] = NET(
    16, 16, 3,
    "gaussian_noise { stddev = 0.2 }, conv2d { filters = 6, kernel = 3, activation = \"tanh\" }, "
    "dropout { rate = 0.3 }, zero_pad2d { padding = 2 }, crop2d { padding = { 1, 2, 3, 2 } }, "
    "space_to_depth { size = 2 }, rescale { scale = 0.5, offset = 0.1 }, depth_to_space { size = 2 "
    "}, rescale { scale = { 1, 2, 3, 4, 5, 6 } }, max_pool2d { size = 2 },"
    "conv2d { filters = 6, kernel = 3, activation = \"leaky_relu\" }, add { with = "
    "\"encoder.pool1\" }, conv2d { filters = 8, kernel = 3, stride = 2, activation = \"elu\" },"
    "group_norm { groups = 2 }, layer_norm {}, prelu {}, avg_pool2d { size = 2 },",
    "flatten {}, dense { units = 17, activation = \"tanh\" }, dense { units = 24, activation = "
    "\"softplus\" }, reshape { shape = { 2, 2, 6 } }, softmax {}, instance_norm {},"
    "conv2d_transpose { filters = 6, kernel = 3, stride = 4 }, concat { with = \"encoder.pool1\" },"
    "upsample2d { size = 2, interpolation = \"bilinear\" }, conv2d { filters = 3, kernel = 5, "
    "activation = \"sigmoid\" },",
    "loss = \"bce\", optimizer = adamw { weight_decay = 0.1 }, clip_norm = 0.05");

static void on_plain_c(void **state)
{
    (void)state;
    check_alone(net_cae, "--target c", "-O2");
    check_alone(net_words, "--target c", "-O2");
    check_alone(net_curved, "--target c --optimize size", "-Os");
    check_alone(net_dense, "--target c", "-O2"); /* sgd, the mean absolute error */
    check_alone(net_grouped, "--target c", "-O2");
}

static void on_avx2(void **state)
{
    (void)state;
    const char *const graphs[] = { net_words, net_curved };
    for (int i = 0; i < 2; i++)
        check_alone(graphs[i], "--target x86-64-v3", "-O2 -march=x86-64-v3");
    check_alone(net_cae, "--target x86-64-v3 --stream", "-O2 -march=x86-64-v3");
    check_alone(net_noise, "--target x86-64-v3 --stream --optimize size --no-training",
                "-Os -march=x86-64-v3");
    check_alone(net_cae, "--target x86-64-v3 --no-training",
                "-O3 -march=x86-64-v3 -fno-math-errno");
}

/* The functions that other parts of a program can call are those of the header, no other. */
static void only_the_interface_is_visible(void **state)
{
    (void)state;
    Library l = library_load(net_cae, "--target c");
    Result names = run(l.folder, "nm -D --defined-only net.so");
    want_exit(&names, 0);
    int functions = 0;
    for (const char *p = names.out; (p = strstr(p, " T ")) != NULL; p++)
        functions++;
    assert_int_equal(functions, 8);
    result_free(&names);
    library_free(&l);
}

static bool on_path(const char *program)
{
    char *words = text_of("command -v %s", program);
    Result found = run_words(NULL, (const char *const[]){ "sh", "-c", words, NULL });
    bool is_there = found.exit_code == 0;
    result_free(&found);
    free(words);
    return is_there;
}

static void want_script(const char *folder, const char *text)
{
    Result result = run_words(folder, (const char *const[]){ "sh", "-c", text, NULL });
    want_exit(&result, 0);
    result_free(&result);
}

#define LATER                                                                                    \
    "'[yz]mm|[[:space:]](v[a-z]+[ps][sd]|vp|vmov|shlx|sarx|shrx|rorx|andn|blsr|bzhi|pext|lzcnt|" \
    "popcnt|movbe)'"

/* net_supported() is asked by those processors that lack what all the rest is made of, so it holds
   no instruction of theirs: no register but those of every x86-64, and none of the v... and BMI
   ones, whatever flags it was compiled with. The kernels beside it do. */
static void asked_on_any_processor(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    static const char *const targets[] = { "x86-64-v4", "x86-64-v3", "x86-64-v2" },
                             *const compilers[] = { "gcc", "clang" };
    static const char *const flags[] = { "-O3 -march=x86-64-v4 -mprefer-vector-width=512",
                                         "-Os -march=x86-64-v3", "-O2 -march=native" };
    for (int i = 0; i < 3; i++) {
        char *options = text_of("--target %s --no-training", targets[i]),
             *folder = library_write(net_dense, options);
        for (int k = 0; k < 6; k++) {
            char *make = text_of("%s -std=c11 -Wall -Wextra -Wpedantic -Werror %s -c "
                                 "net/net_supported.c -o s.o && objdump -d --no-show-raw-insn s.o "
                                 ">s.txt && "
                                 "grep -q cpuid s.txt && ! grep -E " LATER " s.txt",
                                 compilers[k % 2], flags[k / 2]);
            if (on_path(compilers[k % 2]))
                want_script(folder, make);
            free(make);
        }
        want_script(folder, "cc -std=c11 -O2 -march=x86-64-v3 -c net/net_encoder_conv1_forward.c "
                            "-o k.o && objdump -d --no-show-raw-insn k.o | grep -qE " LATER);
        free(options);
        folder_remove(folder);
    }
}

/* On a lesser processor, where qemu-user is installed to be one: the example says so and does not
 * die of it. */
static void on_a_lesser_processor(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    if (!on_path("qemu-x86_64"))
        skip();
    static const struct {
        const char *target, *cpu;
        bool supported;
    } cases[] = {
        { "x86-64-v4", "Haswell", false }, { "x86-64-v3", "Nehalem", false },
        { "x86-64-v3", "Haswell", true },  { "x86-64-v2", "Nehalem", true },
        { "x86-64-v2", "Conroe", false },  { "c", "qemu64", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *options = text_of("--target %s --no-training", cases[i].target),
             *folder = library_write(net_dense, options), *flags = emitted_flags(folder);
        char *make = text_of("cc -O1 -Inet -c net/example.c -o example.o && mv net/example.c . && "
                             "cc -std=c11 -O1 %s -Inet net/*.c example.o -o example -lm && "
                             "head -c 100000 /dev/zero >zero",
                             flags);
        want_script(folder, make);
        Result result = run(folder, "qemu-x86_64 -cpu %s ./example zero zero", cases[i].cpu);
        want_exit(&result, cases[i].supported ? 0 : 1);
        char *message = text_of("net-example: compiled for %s, and this processor lacks "
                                "instructions of it\n",
                                cases[i].target);
        if (!cases[i].supported && !strstr(result.err, message))
            fail_msg("%s on %s says %s", cases[i].target, cases[i].cpu, result.err);
        result_free(&result);
        free(message), free(make), free(flags), free(options);
        folder_remove(folder);
    }
}

/* No #include but of stdint.h, stddef.h and the folder's own; what is said of training is not there
   without it. */
static void the_texts(void **state)
{
    (void)state;
    char *folder = library_write(net_noise, "--no-training");
    FileList files = files_below(folder);
    int includes = 0;
    for (int i = 0; i < files.count; i++) {
        if (strcmp(files.path[i], "net.lua") == 0 || strcmp(files.path[i], "net/example.c") == 0)
            continue;
        char *path = text_of("%s/%s", folder, files.path[i]), *text = file_read(path, NULL);
        for (const char *p = text; (p = strstr(p, "#include <")) != NULL; p += 10, includes++)
            if (strncmp(p + 10, "stdint.h>", 9) != 0 && strncmp(p + 10, "stddef.h>", 9) != 0)
                fail_msg("%s: %.30s", files.path[i], p);
        if (strcmp(files.path[i], "net/net.h") == 0)
            assert_true(!strstr(text, "train") && !strstr(text, "TRAIN") && !strstr(text, "update")
                        && !strstr(text, "LEARNING"));
        if (strstr(files.path[i], "train") || strstr(files.path[i], "rules")
            || strstr(files.path[i], "_dw") || strstr(files.path[i], "_backward")
            || strstr(files.path[i], "loss"))
            fail_msg("%s belongs to training", files.path[i]);
        free(path);
        free(text);
    }
    assert_true(includes >= 4);
    file_list_free(&files);
    folder_remove(folder);
}

/* The comment at the top of the header. */
static char *manual_of(const char *graph, const char *name, const char *options)
{
    char *folder = folder_new();
    library_add(folder, name, graph, options);
    char *path = text_of("%s/%s/%s.h", folder, name, name), *text = file_read(path, NULL),
         *end = strstr(text, " */\n");
    assert_non_null(end);
    end[4] = 0;
    free(path);
    folder_remove(folder);
    return text;
}

/* Its lines after the title begin with a star and fit, whatever the name is. */
static void want_lines(const char *manual)
{
    for (const char *line = strstr(manual, "\n *\n") + 1; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, " *", 2) != 0 || strcspn(line, "\n") > 100)
            fail_msg("a line of the manual: %.*s", (int)strcspn(line, "\n"), line);
}

/* Of all blocks that the library has, and no others. */
static void the_manual(void **state)
{
    (void)state;
    static const struct {
        const char *options, *blocks;
    } cases[] = {
        { "", "prepared, workspace or training" },
        { "--no-training", "prepared or workspace" },
        { "--stream", "prepared, stream, workspace or training" },
        { "--stream --no-training", "prepared, stream or workspace" },
    };
    for (int i = 0; i < 4; i++) {
        char *manual = manual_of(net_cae, "net", cases[i].options);
        char *sentence = text_of(
            "\n * Blocks: what is called %s begins at a multiple of\n * NET_ALIGN bytes and has at "
            "least the bytes said here;",
            cases[i].blocks);
        if (!strstr(manual, sentence))
            fail_msg("'%s' is not in:\n%s", sentence, manual);
        want_lines(manual);
        free(manual);
        free(sentence);
        manual = manual_of(net_cae, "a_name_of_letters_as_long_as_any_ever_is", cases[i].options);
        want_lines(manual);
        free(manual);
    }
}

static const char both_source[] =
    "#include \"net.h\"\n#include \"twin.h\"\n#include <math.h>\n#include <string.h>\n"
    "static float parameters[NET_PARAMETER_FLOATS], a[NET_OUTPUT_FLOATS], b[TWIN_OUTPUT_FLOATS];\n"
    "static uint8_t image[NET_IMAGE_BYTES];\n"
    "static _Alignas(NET_ALIGN) char prepared[2][NET_PREPARED_BYTES], "
    "workspace[NET_WORKSPACE_BYTES + TWIN_WORKSPACE_BYTES];\n"
    "int main(void)\n{\n"
    "    for (int i = 0; i < NET_PARAMETER_FLOATS; i++)\n        parameters[i] = (float)(i % 17) / "
    "40 - 0.15f;\n"
    "    for (int i = 0; i < NET_IMAGE_BYTES; i++)\n        image[i] = (uint8_t)(i * 31);\n"
    "    if (net_prepare(parameters, prepared[0], NET_PREPARED_BYTES) != 0 || "
    "twin_prepare(parameters, prepared[1], TWIN_PREPARED_BYTES) != 0)\n"
    "        return 2;\n"
    "    if (net_reconstruct(prepared[0], image, a, workspace, sizeof workspace) || "
    "twin_reconstruct(prepared[1], image, b, workspace, sizeof workspace))\n"
    "        return 3;\n"
    "    return memcmp(a, b, sizeof a) != 0 || !isfinite(a[0]);\n}\n";

/* The same network under two names. */
static void two_in_one_program(void **state)
{
    (void)state;
    char *folder = library_write(net_cae, "--target c"), *main_c = text_of("%s/both.c", folder);
    library_add(folder, "twin", net_cae, "--target c");
    file_write(main_c, both_source, strlen(both_source));
    library_compile(folder, "-Itwin -o both", "-lm");
    Result ran = run(folder, "./both");
    want_exit(&ran, 0);
    result_free(&ran);
    free(main_c);
    folder_remove(folder);
}

static const char cpp_source[] =
    "#include \"net.h\"\n"
    "static float parameters[NET_PARAMETER_FLOATS];\nalignas(NET_ALIGN) static unsigned char "
    "training[NET_TRAIN_BYTES];\n"
    "int main()\n{\n    float loss;\n    static uint8_t image[NET_IMAGE_BYTES];\n"
    "    if (net_train_open(parameters, training, sizeof training) != 0 || "
    "net_train_image(training, image, &loss) != 0)\n        return 1;\n"
    "    return net_update(training, NET_LEARNING_RATE) != 0 || net_update(training, "
    "NET_LEARNING_RATE) != NET_NO_IMAGES;\n}\n";

/* As the folder's CMakeLists.txt builds it: the archive, which a program in C++ links, and the
   example. */
static void from_cplusplus_and_by_cmake(void **state)
{
    (void)state;
    char *folder = library_write(net_cae, "--optimize size");
    char *cpp = text_of("%s/use.cpp", folder), *use = text_of("%s/use", folder),
         *example = text_of("%s/b/net-example", folder);
    file_write(cpp, cpp_source, strlen(cpp_source));
    Result configured = run(folder, "cmake -S net -B b -DCMAKE_C_COMPILER=%s", c_compiler());
    want_exit(&configured, 0);
    Result built = run(folder, "cmake --build b");
    want_exit(&built, 0);
    Result linked = run(
        folder, "c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Inet use.cpp b/libnet.a -o use");
    want_exit(&linked, 0);
    Result used = run(folder, "%s", use);
    want_exit(&used, 0);

    Library l = library_load(net_cae, "--optimize size");
    float *parameters = block_new(l.parameters * sizeof *parameters),
          *output = block_new(l.output * sizeof *output);
    uint8_t *image = block_new(l.image);
    void *prepared = block_new(l.prepared_bytes), *workspace = block_new(l.workspace_bytes);
    /* around a grey */
    for (size_t i = 0; i < l.parameters; i++)
        parameters[i] = i + 3 < l.parameters ? (float)(i * 7919 % 101) / 1010 - 0.05f : 0.5f;
    fill_image(image, l.image, 3);
    assert_int_equal(l.prepare(parameters, prepared, l.prepared_bytes), 0);
    assert_int_equal(l.reconstruct(prepared, image, output, workspace, l.workspace_bytes), 0);
    char *weights = text_of("%s/p.bin", folder), *picture = text_of("%s/i.rgb", folder);
    file_write(weights, (const char *)parameters, l.parameters * sizeof *parameters);
    file_write(picture, (const char *)image, l.image);
    char *full = text_of("%s p.bin i.rgb >/dev/full; test $? = 1", example);
    want_script(folder, full);
    free(full);
    Result shown = run(folder, "%s p.bin i.rgb", example),
           refused = run(folder, "%s p.bin p.bin.txt", example);
    want_exit(&shown, 0);
    want_exit(&refused, 1);
    assert_non_null(strstr(refused.err, "usage: "));
    assert_int_equal(shown.out_length, l.output);
    int between = 0;
    for (size_t i = 0; i < l.output; i++) {
        /* the compiler may have rounded the output otherwise, which tells where it is on an edge */
        const float around[] = { output[i] - 1e-5f, output[i] + 1e-5f };
        uint8_t least_most[2];
        const int byte = (unsigned char)shown.out[i];
        pixels_from_reals(around, 2, least_most);
        assert_in_range(byte, least_most[0], least_most[1]);
        between += byte > 0 && byte < 255;
    }
    assert_true(between > 100);
    Result *const results[] = { &configured, &built, &linked, &used, &shown, &refused };
    for (int i = 0; i < 6; i++)
        result_free(results[i]);
    void *const blocks[] = { parameters, output,  image, prepared, workspace,
                             weights,    picture, cpp,   use,      example };
    for (int i = 0; i < 10; i++)
        free(blocks[i]);
    library_free(&l);
    folder_remove(folder);
}

/* Sizes are told after building, and a machine without a program for that builds as well. */
static void without_sizes(void **state)
{
    (void)state;
    static const char *const sizes[] = { "", "-DSIZE=/nowhere/size", "-DSIZE=false" };
    char *folder = library_write(net_noise, "--no-training --optimize size --target c");
    for (int i = 0; i < 3; i++) {
        Result configured = run(folder,
                                "cmake -S net -B b%d -DEXAMPLE=OFF -DCMAKE_C_COMPILER=%s %s", i,
                                c_compiler(), sizes[i]);
        Result built = run(folder, "cmake --build b%d", i);
        want_exit(&configured, 0);
        want_exit(&built, 0);
        assert_int_equal(strstr(built.out, "(TOTALS)") != NULL, i == 0);
        result_free(&configured);
        result_free(&built);
    }
    folder_remove(folder);
}

/* The numbers of the whole cae: its machine code for one target, inference and training. */
static void little_code_is_little(void **state)
{
    (void)state;
    static const char *const targets[][2] = { { "c", "" }, { "x86-64-v3", "-march=x86-64-v3" } };
    for (int i = 0; i < 2; i++) {
        char *folder = folder_new();
        Result written = run_caec(
            folder, "%s/graphs/cae.lua -o . --emit library --optimize size --target %s",
            project_folder(), targets[i][0]);
        want_exit(&written, 0);
        char *example = text_of("%s/cae/example.c", folder);
        assert_int_equal(remove(example), 0);
        char *sources = emitted_sources(folder);
        Result made = run(
            folder,
            "%s -std=c11 -Os -ffreestanding -ffp-contract=fast -fno-math-errno -fno-trapping-math "
            "%s -Icae%s -nostdlib -r -o all.o",
            c_compiler(), targets[i][1], sources);
        want_exit(&made, 0);
        Result sizes = run(folder, "size all.o");
        want_exit(&sizes, 0);
        long text = 0;
        assert_int_equal(sscanf(strchr(sizes.out, '\n'), "%ld", &text), 1);
        print_message("%s: %ld bytes of text\n", targets[i][0], text);
        assert_true(text > 1000 && text <= 32768);
        Result *const results[] = { &written, &made, &sizes };
        for (int k = 0; k < 3; k++)
            result_free(results[k]);
        free(example);
        free(sources);
        folder_remove(folder);
    }
}

/* How the folder says that it is built, for machines that are not this one; tests/targets/run.py
   builds so. */
static void for_another_machine(void **state)
{
    (void)state;
    static const struct {
        const char *target, *words;
        bool hosted;
    } cases[] = {
        { "aarch64", " -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc && ",
          true },
        { "cortex-m7",
          " -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY "
          "-DCMAKE_C_COMPILER=arm-none-eabi-gcc && ",
          false },
        { "c", " && ", true },
    };
    for (int i = 0; i < 3; i++) {
        char *options = text_of("--target %s", cases[i].target),
             *folder = library_write(net_dense, options),
             *words = text_of("\n    cmake -S . -B build%s", cases[i].words);
        char *readme = text_of("%s/net/README.md", folder),
             *build = text_of("%s/net/CMakeLists.txt", folder), *manual = file_read(readme, NULL),
             *rules = file_read(build, NULL);
        assert_non_null(strstr(manual, words));
        assert_int_equal(strstr(manual, "\nClang may call functions of the same ABI")
                             && strstr(manual, "__aeabi_memclr4"),
                         strcmp(cases[i].target, "cortex-m7") == 0);
        assert_int_equal(strstr(manual, "\n    cmake -S . -B build && ") != NULL, cases[i].hosted);
        assert_int_equal(strstr(rules, "option(EXAMPLE \"build net-example\" ON)") != NULL,
                         cases[i].hosted);
        assert_int_equal(strstr(rules, "option(EXAMPLE \"build net-example\" OFF)") != NULL,
                         !cases[i].hosted);
        void *const blocks[] = { options, words, readme, build, manual, rules };
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++)
            free(blocks[k]);
        folder_remove(folder);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words, *message;
    } cases[] = {
        { "--emit books -o .", "--emit wants program or library, not 'books'" },
        { "--emit library -o . --real double", "--emit library computes in float" },
        { "--no-training -o .", "--no-training goes with --emit library" },
        { "--optimize size -o .", "--optimize size goes with --emit library" },
        { "--emit library --optimize heat -o .", "--optimize wants speed or size, not 'heat'" },
        { "--emit library -o . --kernel encoder.dense1=dense_blas",
          "dense_blas does not compute encoder.dense1" },
    };
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, net_dense, strlen(net_dense));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Result result = run_caec(folder, "net.lua %s", cases[i].words);
        want_exit(&result, 2);
        if (!strstr(result.err, cases[i].message))
            fail_msg("%s, not %s", result.err, cases[i].message);
        result_free(&result);
    }
    FileList files = files_below(folder);
    assert_int_equal(files.count, 1);
    file_list_free(&files);
    free(path);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_plain_c),
        cmocka_unit_test(on_avx2),
        cmocka_unit_test(only_the_interface_is_visible),
        cmocka_unit_test(asked_on_any_processor),
        cmocka_unit_test(on_a_lesser_processor),
        cmocka_unit_test(the_texts),
        cmocka_unit_test(the_manual),
        cmocka_unit_test(two_in_one_program),
        cmocka_unit_test(from_cplusplus_and_by_cmake),
        cmocka_unit_test(without_sizes),
        cmocka_unit_test(little_code_is_little),
        cmocka_unit_test(for_another_machine),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("library alone", tests, NULL, NULL);
}
