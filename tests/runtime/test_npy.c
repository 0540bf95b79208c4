/* numpy's array files: bytes as numpy.save leaves them, and refusal of what is no plain float
   array. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "formats/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[200], path[300], message[800];

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-npy-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/array.npy", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails where a temporary file was left behind */
}

/* Writes magic, version, the length of the header, the header and the data. */
static void put(int version, const char *header, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    size_t length = strlen(header);

    assert_non_null(file);
    fwrite("\x93NUMPY", 1, 6, file);
    putc(version, file);
    putc(0, file);
    for (int i = 0; i < (version == 1 ? 2 : 4); i++)
        putc((int)(length >> 8 * i & 255), file);
    fputs(header, file);
    fwrite(data, 1, bytes, file);
    assert_int_equal(fclose(file), 0);
}

static void refused(const char *part)
{
    NpyReader reader;
    int io = 7;

    message[0] = 0;
    assert_int_equal(npy_open(&reader, path, message, sizeof message, &io), -1);
    assert_int_equal(io, 0);
    assert_non_null(strstr(message, path));
    if (!strstr(message, part))
        fail_msg("\"%s\" does not say \"%s\"", message, part);
    npy_close(&reader);
}

/* import numpy; numpy.save("array.npy", numpy.array([[1.5, -2, 0.1], [3e38, 1e-45, 0]], "<f4"))
   (numpy 1.24), after the magic. */
static const char numpy_header[] =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }                                   "
    "                       \n";
static const unsigned char numpy_data[24] = { 0,    0,    0xc0, 0x3f, 0,    0,    0,    0xc0,
                                              0xcd, 0xcc, 0xcc, 0x3d, 0xe6, 0xb1, 0x61, 0x7f,
                                              1,    0,    0,    0,    0,    0,    0,    0 };

static void reads_float32(void **state)
{
    NpyReader reader;
    double values[6];
    int io;

    (void)state;
    assert_int_equal(strlen(numpy_header), 118);
    put(1, numpy_header, numpy_data, 24);
    assert_int_equal(npy_open(&reader, path, message, sizeof message, &io), 0);
    assert_int_equal(reader.rank, 2);
    assert_int_equal(reader.shape[0], 2);
    assert_int_equal(reader.shape[1], 3);
    assert_int_equal(reader.count, 6);
    assert_int_equal(npy_next(&reader, values, 2, message, sizeof message, &io), 0);
    assert_int_equal(npy_next(&reader, values + 2, 4, message, sizeof message, &io), 0);
    assert_int_equal(reader.left, 0);
    assert_true(values[0] == 1.5 && values[1] == -2 && values[2] == 0.1f);
    assert_true(values[3] == 3e38f && values[4] == 1e-45f && values[5] == 0);
    assert_int_equal(npy_next(&reader, values, 1, message, sizeof message, &io), -1);
    npy_close(&reader);
}

static void reads_float64_and_versions(void **state)
{
    static const unsigned char tenth[] = { 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f };
    static const char *const headers[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n",
        "{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"<f8\"}",
        " { 'fortran_order' : False , 'shape' : ( 1 , 1 ) , 'descr' : '<f8' } \n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), }"
    };
    (void)state;
    for (int version = 1; version <= 3; version++)
        for (int i = 0; i < 4; i++) {
            NpyReader reader;
            double value = 0;
            int io;
            put(version, headers[i], tenth, 8);
            assert_int_equal(npy_open(&reader, path, message, sizeof message, &io), 0);
            assert_int_equal(reader.count, 1);
            assert_int_equal(npy_next(&reader, &value, 1, message, sizeof message, &io), 0);
            assert_true(value == 0.1);
            npy_close(&reader);
        }
}

static void refuses_other_arrays(void **state)
{
    (void)state;
    put(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "abcd", 4),
        refused("type >f4");
    put(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", "abcd", 4),
        refused("astype");
    put(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "abcd", 4),
        refused("ascontiguousarray");
    put(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", "abcd", 4),
        refused("records");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "abcd", 4),
        refused("8 dimensions");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "abcd",
        4),
        refused("larger than any");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd",
        4),
        refused("larger than any");
}

static void refuses_damage(void **state)
{
    (void)state;
    put(1, numpy_header, numpy_data, 23), refused("cut short");
    put(1, numpy_header, "0123456789012345678901234", 25), refused("followed by");
    put(4, numpy_header, numpy_data, 24), refused("version");
    put(0, numpy_header, numpy_data, 24), refused("version");
    put(1, "{'descr': '<f4', 'fortran_order': False}", "abcd", 4), refused("lacks");
    put(1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "abcd", 4),
        refused("twice");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "abcd", 4),
        refused("unknown");
    put(1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "abcd", 4),
        refused("True nor False");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "abcd", 4),
        refused("no list");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1", "abcd", 4), refused("damaged");
    put(1, "{'descr': '<f4", "abcd", 4), refused("damaged");
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "abcd", 4),
        refused("follows");
    put(1, "", "", 0), refused("damaged");

    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite("\x93NUMPY\1\0\xff\0{", 1, 11, file);
    fclose(file);
    refused("cut short");
    file = fopen(path, "wb");
    fwrite("\x93NUMPY\2\0\xff\xff\xff\xff{", 1, 13, file);
    fclose(file);
    refused("too long");
    file = fopen(path, "wb");
    fputs("PNG", file);
    fclose(file);
    refused("no .npy");
}

static void unreadable_is_io(void **state)
{
    NpyReader reader;
    int io = 0;

    (void)state;
    unlink(path);
    assert_int_equal(npy_open(&reader, path, message, sizeof message, &io), -1);
    assert_int_equal(io, 1);
    io = 0;
    assert_int_equal(npy_open(&reader, folder, message, sizeof message, &io), -1);
    assert_int_equal(io, 1);
}

/* The file that numpy would write, but for the header's padding: 256 bytes of header, the shape
   with the number that turned out. */
static void writes_bytes(void **state)
{
    static const float values[6] = { 1.5f, -2, 0.1f, 3e38f, 1e-45f, 0 };
    const int64_t shape[] = { 5, 3 };
    const char *start = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    unsigned char bytes[600];
    NpyWriter writer;

    (void)state;
    assert_int_equal(npy_create(&writer, path, 2, shape, message, sizeof message), 0);
    npy_append(&writer, values, 4);
    npy_append(&writer, values + 4, 2);
    assert_int_equal(npy_commit(&writer, 2, message, sizeof message), 0);

    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 256 + 24);
    fclose(file);
    assert_memory_equal(bytes, "\x93NUMPY\1\0\xf6\0", 10);
    assert_memory_equal(bytes + 10, start, strlen(start));
    for (size_t i = 10 + strlen(start); i < 255; i++)
        assert_int_equal(bytes[i], ' ');
    assert_int_equal(bytes[255], '\n');
    assert_memory_equal(bytes + 256, numpy_data, 24);
}

static void abandons(void **state)
{
    static const float value = 1;
    const int64_t shape[] = { 1 };
    NpyWriter writer;

    (void)state;
    unlink(path);
    assert_int_equal(npy_create(&writer, path, 1, shape, message, sizeof message), 0);
    npy_append(&writer, &value, 1);
    npy_abandon(&writer);
    assert_int_not_equal(access(path, F_OK), 0);
    npy_abandon(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_float32),
        cmocka_unit_test(reads_float64_and_versions),
        cmocka_unit_test(refuses_other_arrays),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(unreadable_is_io),
        cmocka_unit_test(writes_bytes),
        cmocka_unit_test(abandons),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
