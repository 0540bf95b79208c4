/* safetensors_write.c - the writing half of safetensors.h. */
#include "safetensors.h"
#include "checksum.h"
#include "message.h"
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
    for (int i = 0; i < item->rank; i++)
        bytes *= (size_t)item->shape[i];
    return bytes;
}

/* Adds one name to the header; -1 where it is there already, is no UTF-8, or memory is out. */
static int add_item(json_t *header, const SafetensorsItem *item, size_t from)
{
    json_t *shape = json_array();
    json_t *value;
    int failed = shape == NULL;

    if (json_object_get(header, item->name) || strcmp(item->name, "__metadata__") == 0
        || item->type == SAFETENSORS_OTHER) {
        json_decref(shape);
        return -1;
    }
    for (int i = 0; i < item->rank && !failed; i++)
        failed = json_array_append_new(shape, json_integer(item->shape[i]));
    if (failed) {
        json_decref(shape);
        return -1;
    }
    value = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_name(item->type), "shape", shape,
                      "data_offsets", (json_int_t)from, (json_int_t)(from + item_bytes(item)));
    return json_object_set_new(header, item->name, value);
}

/* The header as JSON; NULL where memory was short. json_dumps does not notice where it was for a
   key, so what it wrote is read again. */
static char *dump_header(const json_t *header)
{
    char *text = json_dumps(header, JSON_COMPACT);
    json_t *again = text ? json_loads(text, 0, NULL) : NULL;

    if (!again || !json_equal(again, header)) {
        free(text);
        text = NULL;
    }
    json_decref(again);
    return text;
}

/* The header as text, padded with spaces so that the data starts at a multiple of 8; NULL and
   *wrong (a name) on failure. */
static char *make_header(const SafetensorsItem *items, int count, const char *const *keys,
                         const char *const *values, int pairs, const char **wrong)
{
    json_t *header = json_object(), *metadata = json_object();
    char *text = NULL;
    size_t at = 0;

    *wrong = NULL;
    for (int i = 0; i < pairs && !*wrong; i++)
        if (json_object_set_new(metadata, keys[i],
                                json_string(strcmp(keys[i], SAFETENSORS_CHECKSUM) == 0
                                                ? CHECKSUM_ZEROS
                                                : values[i]))
            != 0)
            *wrong = keys[i];
    if (pairs > 0 && !*wrong && json_object_set(header, "__metadata__", metadata) != 0)
        *wrong = "__metadata__";
    for (int i = 0; i < count && !*wrong; i++) {
        if (add_item(header, &items[i], at) != 0)
            *wrong = items[i].name;
        at += item_bytes(&items[i]);
    }
    if (!*wrong) {
        char *compact = dump_header(header);
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

/* The file goes through here twice: for its checksum, and into the stream. */
typedef struct Sink {
    FILE *stream; /* NULL: the checksum alone */
    uint64_t hash;
} Sink;

static void put(Sink *sink, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (sink->stream)
        fwrite(bytes, 1, n, sink->stream);
    else
        sink->hash = checksum_bytes(sink->hash, bytes, n);
}

static void put_u64(Sink *sink, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put(sink, bytes, sizeof bytes);
}

#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static void put_values(Sink *sink, const SafetensorsItem *item)
{
    put(sink, item->values, item_bytes(item));
}
#else
static void put_values(Sink *sink, const SafetensorsItem *item)
{
    size_t each = element_size(item->type), bytes = item_bytes(item);
    const unsigned char *values = item->values;
    unsigned char turned[8];

    for (size_t i = 0; i < bytes; i += each) {
        for (size_t j = 0; j < each; j++)
            turned[j] = values[i + each - 1 - j];
        put(sink, turned, each);
    }
}
#endif

static void put_file(Sink *sink, const char *header, const SafetensorsItem *items, int count)
{
    put_u64(sink, strlen(header));
    put(sink, header, strlen(header));
    for (int i = 0; i < count; i++)
        put_values(sink, &items[i]);
}

/* Puts the checksum in the place of its zeros, where the header has one. */
static void fill_checksum(char *header, const SafetensorsItem *items, int count)
{
    char digits[CHECKSUM_DIGITS + 1], *place = checksum_place(header, strlen(header));
    Sink sink = { .hash = CHECKSUM_START };

    if (!place)
        return;
    put_file(&sink, header, items, count);
    checksum_text(sink.hash, digits);
    memcpy(place, digits, CHECKSUM_DIGITS);
}

int safetensors_write(const char *path, const SafetensorsItem *items, int count,
                      const char *const *keys, const char *const *values, int pairs, char *message,
                      size_t size)
{
    WholeFile file;
    const char *wrong;
    char *header = make_header(items, count, keys, values, pairs, &wrong);

    if (!header)
        return message_fail(message, size, "%s: cannot be written: %s%.200s%s", path,
                            wrong ? "the entry " : "out of memory", wrong ? wrong : "",
                            wrong ? " stands twice or is no UTF-8 text, or memory is out" : "");
    fill_checksum(header, items, count);
    if (whole_file_open(&file, path, message, size) != 0) {
        free(header);
        return -1;
    }
    put_file(&(Sink){ .stream = file.stream }, header, items, count);
    free(header);
    return whole_file_commit(&file, message, size);
}
