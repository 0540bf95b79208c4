/* safetensors_write.c - the writing half of safetensors.h. */
#include "safetensors.h"
#include "whole_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *dtype_name(SafetensorsType type)
{
    return type == SAFETENSORS_F32 ? "F32" : type == SAFETENSORS_F64 ? "F64" : "U64";
}

static size_t element_size(SafetensorsType type)
{
    return type == SAFETENSORS_F32 ? 4 : 8;
}

static size_t item_bytes(const SafetensorsItem *item)
{
    size_t bytes = element_size(item->type);
    for (int i = 0; i < item->rank; i++) bytes *= (size_t)item->shape[i];
    return bytes;
}

/* Adds one name to the header; -1 where it is there already, is no UTF-8, or memory is out. */
static int add_item(json_t *header, const SafetensorsItem *item, size_t from)
{
    json_t *shape = json_array();
    json_t *value;
    int failed = shape == NULL;

    if (json_object_get(header, item->name) || strcmp(item->name, "__metadata__") == 0 || item->type == SAFETENSORS_OTHER) {
        json_decref(shape);
        return -1;
    }
    for (int i = 0; i < item->rank && !failed; i++) failed = json_array_append_new(shape, json_integer(item->shape[i]));
    if (failed) {
        json_decref(shape);
        return -1;
    }
    value = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_name(item->type), "shape", shape, "data_offsets",
                      (json_int_t)from, (json_int_t)(from + item_bytes(item)));
    return json_object_set_new(header, item->name, value);
}

/* The header as text, padded with spaces so that the data starts at a multiple of 8; NULL and *wrong (a name) on failure. */
static char *make_header(const SafetensorsItem *items, int count, const char *const *keys, const char *const *values,
                         int pairs, const char **wrong)
{
    json_t *header = json_object(), *metadata = json_object();
    char *text = NULL;
    size_t at = 0;

    *wrong = NULL;
    for (int i = 0; i < pairs && !*wrong; i++)
        if (json_object_set_new(metadata, keys[i], json_string(values[i])) != 0) *wrong = keys[i];
    if (pairs > 0 && !*wrong && json_object_set(header, "__metadata__", metadata) != 0) *wrong = "__metadata__";
    for (int i = 0; i < count && !*wrong; i++) {
        if (add_item(header, &items[i], at) != 0) *wrong = items[i].name;
        at += item_bytes(&items[i]);
    }
    if (!*wrong) {
        char *compact = json_dumps(header, JSON_COMPACT);
        size_t length = compact ? strlen(compact) : 0, padded = (length + 7) / 8 * 8;
        text = compact ? malloc(padded + 1) : NULL;
        if (text) {
            memset(text, ' ', padded);
            memcpy(text, compact, length);
            text[padded] = 0;
        }
        free(compact);
    }
    json_decref(metadata);
    json_decref(header);
    return text;
}

static void write_u64(FILE *stream, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> 8 * i);
    fwrite(bytes, 1, sizeof bytes, stream);
}

#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static void write_values(FILE *stream, const SafetensorsItem *item)
{
    size_t bytes = item_bytes(item);
    if (bytes > 0) fwrite(item->values, 1, bytes, stream);
}
#else
static void write_values(FILE *stream, const SafetensorsItem *item)
{
    size_t each = element_size(item->type), bytes = item_bytes(item);
    const unsigned char *values = item->values;

    for (size_t i = 0; i < bytes; i += each)
        for (size_t j = each; j-- > 0;) putc(values[i + j], stream);
}
#endif

int safetensors_write(const char *path, const SafetensorsItem *items, int count, const char *const *keys,
                      const char *const *values, int pairs, char *message, size_t size)
{
    WholeFile file;
    const char *wrong;
    char *header = make_header(items, count, keys, values, pairs, &wrong);

    if (!header)
        return whole_file_fail(message, size, "%s: cannot be written: %s%.200s%s", path, wrong ? "the entry " : "out of memory",
                               wrong ? wrong : "", wrong ? " stands twice or is no UTF-8 text, or memory is out" : "");
    if (whole_file_open(&file, path, message, size) != 0) {
        free(header);
        return -1;
    }
    write_u64(file.stream, strlen(header));
    fputs(header, file.stream);
    free(header);
    for (int i = 0; i < count; i++) write_values(file.stream, &items[i]);
    return whole_file_commit(&file, message, size);
}
