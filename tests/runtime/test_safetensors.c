/* The safetensors format: bytes as the format's description asks for, and refusal of every kind of
   damage. */
#define _XOPEN_SOURCE 700 /* mkdtemp, mkfifo, symlink */
#include "formats/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[200], path[300], message[800];

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/caec-safetensors-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails where a temporary file was left behind */
}

/* Writes a file with this header and `bytes` data bytes 0, 1, 2, ... */
static void put(const char *header, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    size_t length = strlen(header);
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        putc((int)((uint64_t)length >> 8 * i & 255), file);
    fputs(header, file);
    for (size_t i = 0; i < bytes; i++)
        putc((int)(i & 255), file);
    assert_int_equal(fclose(file), 0);
}

static void put_bytes(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The file that is there is refused for its content, with one line that names it and holds
   `part`. */
static void refused(const char *part)
{
    Safetensors file;
    int io = 7;
    message[0] = 0;
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), -1);
    assert_int_equal(io, 0);
    assert_non_null(strstr(message, path));
    assert_null(strchr(message, '\n'));
    if (!strstr(message, part))
        fail_msg("\"%s\" does not say \"%s\"", message, part);
    assert_null(file.entries);
}

static void reads_values(void **state)
{
    /* 1.5f = 3fc00000, -2.0f = c0000000, 0.1 (double) = 3fb999999999999a; all little-endian */
    static const unsigned char data[] = { 0,    0,    0xc0, 0x3f, 0,    0,    0,    0xc0,
                                          0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f,
                                          8,    7,    6,    5,    4,    3,    2,    1 };
    const char *header =
        "{\"f\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
        "\"u\":{\"dtype\":\"U64\",\"shape\":[1],"
        "\"data_offsets\":[16,24]},\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[8,16]},"
        "\"__metadata__\":{\"who\":\"\\u00e9\"}}   ";
    unsigned char bytes[512] = { (unsigned char)strlen(header) };
    Safetensors file;
    double d[2];
    float f[2];
    uint64_t u;
    int io;

    (void)state;
    memcpy(bytes + 8, header, strlen(header));
    memcpy(bytes + 8 + strlen(header), data, sizeof data);
    put_bytes(bytes, 8 + strlen(header) + sizeof data);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 3);

    const SafetensorsEntry *entry = safetensors_find(&file, "f");
    assert_int_equal(entry->rank, 2);
    assert_int_equal(entry->shape[1], 2);
    assert_int_equal(safetensors_to_float(entry, f), 0);
    assert_true(f[0] == 1.5f && f[1] == -2.0f);
    assert_int_equal(safetensors_to_double(entry, d), 0);
    assert_true(d[0] == 1.5 && d[1] == -2.0);
    assert_int_equal(safetensors_to_u64(entry, &u), -1);

    entry = safetensors_find(&file, "d");
    assert_int_equal(entry->rank, 0);
    assert_int_equal(entry->count, 1);
    assert_int_equal(safetensors_to_double(entry, d), 0);
    assert_true(d[0] == 0.1);
    assert_int_equal(safetensors_to_float(entry, f), 0);
    assert_true(f[0] == 0.1f);

    entry = safetensors_find(&file, "u");
    assert_int_equal(safetensors_to_u64(entry, &u), 0);
    assert_true(u == UINT64_C(0x0102030405060708));
    assert_int_equal(safetensors_to_double(entry, d), -1);
    assert_string_equal(safetensors_metadata(&file, "who"), "\xc3\xa9");
    assert_null(safetensors_metadata(&file, "what"));
    assert_null(safetensors_find(&file, "__metadata__"));
    safetensors_free(&file);
}

/* Two tensors of float32, the first with the fields given. */
static void put_first(const char *dtype, const char *shape, const char *offsets, size_t bytes)
{
    char header[1000];
    snprintf(
        header, sizeof header,
        "{\"first\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s},\"last\":{\"dtype\":\"F32\","
        "\"shape\":[2],"
        "\"data_offsets\":[8,16]}}",
        dtype, shape, offsets);
    put(header, bytes);
}

static void refuses_wrong_entries(void **state)
{
    Safetensors file;
    int io;

    (void)state;
    put_first("\"F32\"", "[2]", "[0,8]", 16); /* right: what the others differ from */
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    safetensors_free(&file);

    put_first("\"F33\"", "[2]", "[0,8]", 16), refused("first");
    put_first("3", "[2]", "[0,8]", 16), refused("dtype");
    put_first("\"F32\"", "[3]", "[0,8]", 16), refused("do not fit");
    put_first("\"F32\"", "[-2]", "[0,8]", 16), refused("shape");
    put_first("\"F32\"", "[2.0]", "[0,8]", 16), refused("shape");
    put_first("\"F32\"", "2", "[0,8]", 16), refused("shape");
    put_first("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]", 16), refused("8 dimensions");
    /* 2^64 */
    put_first("\"F32\"", "[4611686018427387904,4]", "[0,0]", 16), refused("larger than any memory");
    /* 4 * 2^62 bytes */
    put_first("\"F32\"", "[2305843009213693952,2]", "[0,0]", 16), refused("larger than any memory");
    put_first("\"F32\"", "[2]", "[8,0]", 16), refused("range");
    put_first("\"F32\"", "[2]", "[-8,0]", 16), refused("range");
    put_first("\"F32\"", "[2]", "[0]", 16), refused("data_offsets");
    put_first("\"F32\"", "[2]", "[0,8,16]", 16), refused("data_offsets");
    put_first("\"F32\"", "[2]", "[0.0,8.0]", 16), refused("data_offsets");
    put_first("\"F4\"", "[1]", "[0,1]", 16), refused("do not fit"); /* half a byte */
}

static void refuses_holes_and_overlaps(void **state)
{
    (void)state;
    put_first("\"F32\"", "[1]", "[0,4]", 16), refused("hole");
    put_first("\"F32\"", "[1]", "[4,8]", 16), refused("hole");
    put_first("\"F32\"", "[3]", "[0,12]", 16), refused("overlaps");
    put_first("\"F32\"", "[2]", "[8,16]", 16), refused("hole");
    put_first("\"F32\"", "[2]", "[0,8]", 20), refused("4 bytes after the last tensor");
    put_first("\"F32\"", "[2]", "[0,8]", 15), refused("past the end");
    put("{}", 1), refused("1 bytes after");
}

static void empty_tensors_and_files(void **state)
{
    Safetensors file;
    int io;

    (void)state;
    put("{}", 0);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(file.count, 0);
    safetensors_free(&file);

    put_first("\"F32\"", "[5,0]", "[0,0]", 16), refused("hole");
    put("{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"e\":{\"dtype\":\"F32\","
        "\"shape\":[0,7],\"data_offsets\":[0,0]}}",
        3);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_int_equal(safetensors_find(&file, "e")->count, 0);
    assert_int_equal(safetensors_find(&file, "b")->type, SAFETENSORS_OTHER);
    assert_string_equal(safetensors_find(&file, "b")->dtype, "U8");
    safetensors_free(&file);
}

static void refuses_wrong_headers(void **state)
{
    (void)state;
    put_bytes("", 0), refused("is no safetensors file");
    put_bytes("\2\0\0\0\0\0\0", 7), refused("is no safetensors file");
    put_bytes("\0\0\0\0\0\0\0\0", 8), refused("is no safetensors file");
    put_bytes("\x09\0\0\0\0\0\0\0{}", 10), refused("cut short");
    /* 100 000 001 */
    put_bytes("\1\xe1\xf5\5\0\0\0\0{}", 10), refused("is no safetensors file");
    put_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), refused("is no safetensors file");
    put(" {}", 0), refused("is no safetensors file"); /* the format wants the brace first */
    put("{", 0), refused("is no safetensors file");
    put("{\"a\":}", 0), refused("header is wrong");
    put("{}x", 0), refused("header is wrong");
    put("{\"a\":1}", 0), refused("tensor a");
    put("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\","
        "\"shape\":[1],\"data_offsets\":[1,2]}}",
        2);
    refused("duplicate");
    put("{\"__metadata__\":[]}", 0), refused("__metadata__");
    put("{\"__metadata__\":{\"k\":1}}", 0), refused("k is no string");
    put("{\"\xff\":{}}", 0), refused("header is wrong");
    put("{\"a\\nb\":{}}", 0), refused("a?b");
}

static void refuses_deep_headers(void **state)
{
    size_t depth = 100000;
    char *header = malloc(depth + 6);

    (void)state;
    assert_non_null(header);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', depth);
    header[depth + 5] = 0;
    put(header, 0);
    free(header);
    refused("depth");
}

static void unreadable_is_io(void **state)
{
    Safetensors file;
    int io = 0;

    (void)state;
    unlink(path);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), -1);
    assert_int_equal(io, 1);
    assert_non_null(strstr(message, "No such file"));
    io = 0;
    assert_int_equal(safetensors_read(&file, folder, message, sizeof message, &io), -1);
    assert_int_equal(io, 1);
    assert_non_null(strstr(message, folder));
    io = 0;
    assert_int_equal(safetensors_read(&file, "/dev/zero", message, sizeof message, &io), -1);
    assert_int_equal(io, 1);
    assert_non_null(strstr(message, "neither a plain file nor a pipe"));
}

static const float two[2] = { 1.5f, -2 };
static const double one[1] = { 0.1 };
static const uint64_t big[1] = { UINT64_C(0x0102030405060708) };

/* The very bytes: a header in order, padded so that the data starts at a multiple of 8, then
   little-endian values. */
static void writes_bytes(void **state)
{
    const SafetensorsItem items[] = { { "z", SAFETENSORS_F32, 2, { 2, 1 }, two },
                                      { "a", SAFETENSORS_F64, 0, { 0 }, one },
                                      { "none", SAFETENSORS_F32, 1, { 0 }, NULL },
                                      { "u", SAFETENSORS_U64, 1, { 1 }, big } };
    static const unsigned char data[] = { 0,    0,    0xc0, 0x3f, 0,    0,    0,    0xc0,
                                          0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f,
                                          8,    7,    6,    5,    4,    3,    2,    1 };
    const char *header =
        "{\"__metadata__\":{\"k\":\"say "
        "\\\"v\\\"\"},\"z\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[8,16]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0],"
        "\"data_offsets\":[16,16]},\"u\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[16,"
        "24]}}";
    const char *keys[] = { "k" }, *values[] = { "say \"v\"" };
    unsigned char bytes[600];
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;

    (void)state;
    assert_int_equal(safetensors_write(path, items, 4, keys, values, 1, message, sizeof message),
                     0);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(got, 8 + padded + sizeof data);
    assert_int_equal(bytes[0] | bytes[1] << 8, padded);
    assert_memory_equal(bytes + 2, "\0\0\0\0\0\0", 6);
    assert_memory_equal(bytes + 8, header, length);
    for (size_t i = length; i < padded; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + padded, data, sizeof data);
}

static void writes_whole_or_not(void **state)
{
    const SafetensorsItem good = { "a", SAFETENSORS_F32, 1, { 2 }, two };
    const SafetensorsItem twice[] = { good, good };
    const SafetensorsItem no_text = { "\xff", SAFETENSORS_F32, 1, { 2 }, two };
    char nowhere[400];
    Safetensors file;
    struct stat before, after;
    int io;

    (void)state;
    assert_int_equal(safetensors_write(path, &good, 1, NULL, NULL, 0, message, sizeof message), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(safetensors_write(path, twice, 2, NULL, NULL, 0, message, sizeof message), -1);
    assert_non_null(strstr(message, "twice"));
    assert_int_equal(safetensors_write(path, &no_text, 1, NULL, NULL, 0, message, sizeof message),
                     -1);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino); /* the failures left it alone */

    snprintf(nowhere, sizeof nowhere, "%s/none/file", folder);
    assert_int_equal(safetensors_write(nowhere, &good, 1, NULL, NULL, 0, message, sizeof message),
                     -1);
    assert_non_null(strstr(message, nowhere));
    assert_int_equal(safetensors_write(folder, &good, 1, NULL, NULL, 0, message, sizeof message),
                     -1);
    assert_non_null(strstr(message, "is a folder"));

    assert_int_equal(safetensors_write(path, &good, 1, NULL, NULL, 0, message, sizeof message), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_mode & 0777, 0640);
    assert_int_equal(safetensors_read(&file, path, message, sizeof message, &io), 0);
    assert_null(safetensors_metadata(&file, "k"));
    safetensors_free(&file);
}

/* What is no plain file is written to, never replaced, and a symbolic link stays one. */
static void writes_through(void **state)
{
    const SafetensorsItem item = { "a", SAFETENSORS_F32, 1, { 2 }, two };
    char other[400], bytes[8];
    struct stat status;

    (void)state;
    snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(mkfifo(other, 0600), 0);
    int fd = open(other, O_RDWR | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(safetensors_write(other, &item, 1, NULL, NULL, 0, message, sizeof message), 0);
    assert_int_equal(lstat(other, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(read(fd, bytes, sizeof bytes), 8);
    close(fd);
    unlink(other);

    put("{}", 0);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(safetensors_write(other, &item, 1, NULL, NULL, 0, message, sizeof message), 0);
    assert_int_equal(lstat(other, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_size > 10);
    unlink(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),
        cmocka_unit_test(refuses_wrong_entries),
        cmocka_unit_test(refuses_holes_and_overlaps),
        cmocka_unit_test(empty_tensors_and_files),
        cmocka_unit_test(refuses_wrong_headers),
        cmocka_unit_test(refuses_deep_headers),
        cmocka_unit_test(unreadable_is_io),
        cmocka_unit_test(writes_bytes),
        cmocka_unit_test(writes_whole_or_not),
        cmocka_unit_test(writes_through),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
