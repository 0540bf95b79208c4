#include "library.h"

#include "drawn.h"
#include "formats/safetensors.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char net_cae[] = NET(
    24, 24, 3,
    "conv2d { filters = 16, kernel = 3, activation = \"relu\" }, max_pool2d { size = 2 },"
    "conv2d { filters = 24, kernel = 3, activation = \"relu\" }, max_pool2d { size = 2 },",
    "conv2d { filters = 20, kernel = 3, activation = \"relu\" }, upsample2d { size = 2 },"
    "conv2d { filters = 3, kernel = 3, activation = \"relu\" }, upsample2d { size = 2 },",
    "loss = { mse = 0.5, ssim = 0.25 }, optimizer = adam {}, clip_value = 0.01");
const char net_dense[] = NET(
    8, 12, 1,
    "conv2d { filters = 3, kernel = 3, activation = \"elu\" }, flatten {}, dense { units = 17, "
    "activation = \"tanh\" },",
    "dense { units = 24, activation = \"softplus\" }, reshape { shape = { 4, 6, 1 } }, upsample2d "
    "{ size = 2 }, conv2d { filters = 1, kernel = 3 },",
    "loss = \"mae\", optimizer = sgd { lr = 0.05, momentum = 0.9, nesterov = true }, "
    "global_clip_norm = 0.1");
const char net_branches[] = NET(
    12, 12, 3,
    "conv2d { filters = 8, kernel = 3, activation = \"relu\" }, max_pool2d { size = 2 }, conv2d { "
    "filters = 8, kernel = 3, activation = \"relu\" },"
    "add { with = \"encoder.pool1\" },",
    "conv2d { filters = 4, kernel = 3 }, concat { with = \"encoder.conv2\" }, conv2d_transpose { "
    "filters = 3, kernel = 3 },",
    "loss = \"mse\", optimizer = adamw { weight_decay = 0.1 }, clip_norm = 0.05");
const char net_noise[] = NET(
    8, 8, 3,
    "gaussian_noise { stddev = 0.2 }, conv2d { filters = 6, kernel = 3, activation = \"tanh\" }, "
    "dropout { rate = 0.3 },"
    "conv2d { filters = 10, kernel = 3, stride = 2, activation = \"relu\" }, "
    "gaussian_sample { kl_weight = 0.1, warmup = 3 },",
    "conv2d_transpose { filters = 3, kernel = 3 },",
    "loss = \"log_cosh\", optimizer = nadam { lr = 2e-3, beta1 = 0.8, beta2 = 0.99, eps = 1e-5 }");
const char net_norm[] = NET(
    8, 8, 3,
    "conv2d { filters = 6, kernel = 3, trainable = false, kernel_l2 = 1 }, "
    "group_norm { groups = 2 }, relu { activity_l1 = 1e-4 }, avg_pool2d { size = 2 }, "
    "conv2d { filters = 17, kernel = 1, kernel_l1 = 2e-3, kernel_l2 = 1e-2 }, layer_norm {}, "
    "prelu {}, ",
    "layer_norm { trainable = false }, softmax {}, conv2d { filters = 3, kernel = 3 }, "
    "instance_norm {}, prelu {}, upsample2d { size = 2 }, "
    "conv2d { filters = 3, kernel = 5, activation = \"sigmoid\" },",
    "loss = \"mse\", optimizer = rmsprop { momentum = 0.5, centered = true }");
const char net_bce[] = NET(
    10, 8, 1, "conv2d { filters = 6, kernel = 3, stride = 2, activation = \"leaky_relu\" },",
    "upsample2d { size = 2 }, conv2d { filters = 1, kernel = 3, activation = \"sigmoid\" },",
    "loss = { bce = 1, huber { delta = 0.1, weight = 0.5 } }, "
    "optimizer = adadelta { lr = 1, rho = 0.8, eps = 1e-4 }");

/* activations whose gradients read x, one that calls erf among them, before both pools */
const char net_curved[] = NET(
    12, 12, 2,
    "conv2d { filters = 8, kernel = 3, activation = \"gelu\" }, max_pool2d { size = 2 }, "
    "conv2d { filters = 8, kernel = 3, activation = \"mish\" }, avg_pool2d { size = 2 }, "
    "hard_swish {},",
    "conv2d { filters = 6, kernel = 3, activation = \"silu\" }, upsample2d { size = 2 }, "
    "gelu { approximate = true }, conv2d { filters = 5, kernel = 3, activation = \"selu\" }, "
    "conv2d { filters = 4, kernel = 3, activation = \"relu6\" }, softsign {}, exponential {}, "
    "upsample2d { size = 2 }, conv2d { filters = 2, kernel = 3, activation = \"hard_sigmoid\" },",
    "loss = \"mse\", optimizer = adagrad { lr = 0.01, initial_accumulator = 0.2 }");

const char net_grouped[] = NET(
    8, 10, 3,
    "conv2d { filters = 5, kernel = 3, use_bias = false, activity_l2 = 1e-3 }, "
    "batch_norm { over = 2, momentum = 0.75 }, relu {}, max_pool2d { size = 2 }, "
    "dropout { rate = 0.2 }, conv2d { filters = 4, kernel = 3, kernel_l2 = 1e-2 }, "
    "batch_norm { over = 2 },",
    "upsample2d { size = 2 }, conv2d { filters = 3, kernel = 3 },",
    "loss = \"mse\", optimizer = adam {}, batch = 6, clip_norm = 0.05");

const char net_tied[] = NET(
    12, 12, 3,
    "conv2d { filters = 8, kernel = 3, activation = \"tanh\" }, "
    "conv2d { filters = 6, kernel = 3, stride = 2, activation = \"relu\", kernel_l2 = 1e-2 }, "
    "flatten {}, dense { units = 32, activation = \"elu\" },",
    "dense { units = 216, tied = \"encoder.dense1\" }, reshape { shape = { 6, 6, 6 } }, "
    "conv2d_transpose { filters = 8, kernel = 3, activation = \"tanh\", tied = \"encoder.conv2\" },"
    "conv2d_transpose { filters = 3, kernel = 3, stride = 1, tied = \"encoder.conv1\" },",
    "loss = \"mse\", optimizer = sgd { lr = 0.05, momentum = 0.9 }");

char *library_write(const char *graph, const char *options)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    Result result = run_caec(folder, "net.lua -o . --emit library %s", options);
    want_exit(&result, 0);
    result_free(&result);
    free(path);
    return folder;
}

void library_add(const char *folder, const char *name, const char *graph, const char *options)
{
    static const char old[] = "autoencoder \"net\"";
    const char *at = strstr(graph, old);
    assert_non_null(at);
    char *renamed = text_of("%.*sautoencoder \"%s\"%s", (int)(at - graph), graph, name,
                            at + strlen(old));
    char *path = text_of("%s/%s.lua", folder, name),
         *example = text_of("%s/%s/example.c", folder, name);
    file_write(path, renamed, strlen(renamed));
    Result result = run_caec(folder, "%s.lua -o . --emit library %s", name, options);
    want_exit(&result, 0);
    assert_int_equal(remove(example), 0);
    result_free(&result);
    free(renamed);
    free(path);
    free(example);
}

static void compile(const char *folder, bool merged, const char *flags, const char *more)
{
    char *example = text_of("%s/net/example.c", folder),
         *kept = text_of("%s/net/example.text", folder);
    if (file_exists(example))
        assert_int_equal(rename(example, kept), 0);
    char *own = emitted_flags(folder),
         *sources = merged ? merged_sources(folder) : emitted_sources(folder);
    Result result = run(folder,
                        "%s -std=c11 -O0 %s -Wall -Wextra -Wpedantic -Werror -I. -Inet%s %s %s",
                        c_compiler(), own, sources, flags, more);
    want_exit(&result, 0);
    result_free(&result);
    free(own);
    free(sources);
    free(example);
    free(kept);
}

void library_compile(const char *folder, const char *flags, const char *more)
{
    compile(folder, false, flags, more);
}

void library_compile_merged(const char *folder, const char *flags, const char *more)
{
    compile(folder, true, flags, more);
}

long library_number(const char *header, const char *name)
{
    char *line = text_of("#define %s ", name), *found = strstr(header, line);
    assert_non_null(found);
    const long value = strtol(found + strlen(line), NULL, 10);
    free(line);
    return value;
}

static const char sizes_source[] =
    "#include \"net.h\"\n"
    "const size_t sizes[] = { NET_ALIGN, NET_IMAGE_BYTES, NET_LATENT_FLOATS, NET_OUTPUT_FLOATS, "
    "NET_PARAMETER_FLOATS, NET_PREPARED_BYTES,\n"
    "    NET_WORKSPACE_BYTES,\n"
    "#ifdef NET_TRAIN_BYTES\n    NET_TRAIN_BYTES };\nconst float rate = NET_LEARNING_RATE;\nextern "
    "const int codes[];\n"
    "const int codes[] = { NET_NULL, NET_UNALIGNED, NET_TOO_SMALL, NET_NOT_OPEN, NET_NO_IMAGES, "
    "NET_BAD_RATE, NET_NOT_FINITE };\n"
    "#else\n    0 };\nconst float rate = 0;\nconst int codes[] = { NET_NULL, NET_UNALIGNED, "
    "NET_TOO_SMALL };\n#endif\n";

static void check_codes(const int *codes, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(codes[i], -1 - i);
}

Library library_load(const char *graph, const char *options)
{
    Library l = { .folder = library_write(graph, options) };
    char *sizes_path = text_of("%s/net/sizes.c", l.folder), *path = text_of("%s/net.so", l.folder);
    file_write(sizes_path, sizes_source, strlen(sizes_source));
    compile(l.folder, true, "-fPIC -shared -o net.so", "");
    l.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!l.handle)
        fail_msg("%s", dlerror());
    const size_t *sizes = dlsym(l.handle, "sizes");
    size_t *const to[] = { &l.align,      &l.image,          &l.latent,          &l.output,
                           &l.parameters, &l.prepared_bytes, &l.workspace_bytes, &l.train_bytes };
    for (int i = 0; i < 8; i++)
        *to[i] = sizes[i];
    l.rate = *(const float *)dlsym(l.handle, "rate");
    check_codes(dlsym(l.handle, "codes"), l.train_bytes ? 7 : 3);
    l.baked = dlsym(l.handle, "net_prepared");
    *(void **)&l.prepare = dlsym(l.handle, "net_prepare");
    *(void **)&l.encode = dlsym(l.handle, "net_encode");
    *(void **)&l.decode = dlsym(l.handle, "net_decode");
    *(void **)&l.reconstruct = dlsym(l.handle, "net_reconstruct");
    *(void **)&l.train_open = dlsym(l.handle, "net_train_open");
    *(void **)&l.train_image = dlsym(l.handle, "net_train_image");
    *(void **)&l.train_images = dlsym(l.handle, "net_train_images");
    *(void **)&l.update = dlsym(l.handle, "net_update");
    assert_true((l.prepare || l.baked) && l.encode && l.reconstruct);
    free(sizes_path);
    free(path);
    return l;
}

char *library_weights(const char *folder, const float *parameters)
{
    char *path = text_of("%s/net/net.h", folder), *header = file_read(path, NULL),
         *to = text_of("%s/trained.safetensors", folder), message[800];
    enum { MOST = 40 };
    SafetensorsItem items[MOST];
    char names[MOST][100];
    int count = 0;
    const char *line = strstr(header, "Where each begins"), *end = strstr(header, " * Blocks: ");
    assert_true(line && end);
    for (; line < end; line = strchr(line + 1, '\n')) {
        size_t offset;
        char shape[60];
        SafetensorsItem *item = &items[count];
        if (sscanf(line, "\n *     %99s %zu %59[^\n]", names[count], &offset, shape) != 3)
            continue;
        *item = (SafetensorsItem){ .name = names[count++],
                                   .type = SAFETENSORS_F32,
                                   .values = parameters + offset };
        for (const char *p = shape; *p; p += strcspn(p, "0123456789"))
            item->shape[item->rank++] = strtol(p, (char **)&p, 10);
        assert_in_range(item->rank, 1, 4);
        assert_true(count < MOST);
    }
    assert_true(count > 0);
    if (safetensors_write(to, items, count, NULL, NULL, 0, message, sizeof message) != 0)
        fail_msg("%s", message);
    free(path);
    free(header);
    return to;
}

void library_free(Library *library)
{
    dlclose(library->handle);
    folder_remove(library->folder);
}

void *block_new(size_t bytes)
{
    void *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(block);
    memset(block, 0xff, bytes);
    return block;
}

void fill_parameters(float *parameters, const Model *model, unsigned seed)
{
    for (int k = 0; k < model->parameter_count; k++) {
        const ModelParameter *p = &model->parameters[k];
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            parameters[i] = drawn_parameter(p->fill, p->limit, seed, i);
    }
}

void fill_image(uint8_t *image, size_t bytes, unsigned seed)
{
    for (size_t i = 0; i < bytes; i++)
        image[i] = drawn_pixel(seed, i);
}
