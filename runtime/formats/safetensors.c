#include "safetensors.h"
#include "checksum.h"
#include "input_file.h"
#include "message.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* bytes; as JSON in memory it takes up to thirty times as much */
enum { HEADER_LIMIT = 16 << 20 };

typedef struct State {
    json_t *header;       /* owns the names */
    unsigned char *bytes; /* the file; owns the data */
} State;

/* A file being read, with everything a message needs. */
typedef struct Reading {
    const char *path;
    char *message;
    size_t size;
    const unsigned char *data;
    size_t data_bytes;
} Reading;

static const struct Dtype {
    const char *name;
    int bits;
    SafetensorsType type;
} dtypes[] = {
    { "F32", 32, SAFETENSORS_F32 },      { "F64", 64, SAFETENSORS_F64 },
    { "U64", 64, SAFETENSORS_U64 },      { "F16", 16, SAFETENSORS_OTHER },
    { "BF16", 16, SAFETENSORS_OTHER },   { "I64", 64, SAFETENSORS_OTHER },
    { "I32", 32, SAFETENSORS_OTHER },    { "U32", 32, SAFETENSORS_OTHER },
    { "I16", 16, SAFETENSORS_OTHER },    { "U16", 16, SAFETENSORS_OTHER },
    { "I8", 8, SAFETENSORS_OTHER },      { "U8", 8, SAFETENSORS_OTHER },
    { "BOOL", 8, SAFETENSORS_OTHER },    { "C64", 64, SAFETENSORS_OTHER },
    { "F8_E4M3", 8, SAFETENSORS_OTHER }, { "F8_E5M2", 8, SAFETENSORS_OTHER },
    { "F8_E8M0", 8, SAFETENSORS_OTHER }, { "F6_E2M3", 6, SAFETENSORS_OTHER },
    { "F6_E3M2", 6, SAFETENSORS_OTHER }, { "F4", 4, SAFETENSORS_OTHER },
};

static const struct Dtype *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}

static uint64_t little_u64(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint32_t little_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
           | (uint32_t)bytes[3] << 24;
}

static int wrong_tensor(const Reading *reading, const char *name, const char *what)
{
    return message_fail(reading->message, reading->size, "%s: tensor %.200s: %s", reading->path,
                        name, what);
}

/* Reads the shape and the product of its numbers, which must leave room for `bits` each. */
static int read_shape(const Reading *reading, SafetensorsEntry *entry, const json_t *shape,
                      int bits)
{
    uint64_t count = 1;

    if (!json_is_array(shape))
        return wrong_tensor(reading, entry->name, "has no \"shape\" list");
    if (json_array_size(shape) > SAFETENSORS_MAX_RANK)
        return wrong_tensor(reading, entry->name, "has more than 8 dimensions");
    entry->rank = (int)json_array_size(shape);
    for (int i = 0; i < entry->rank; i++) {
        const json_t *number = json_array_get(shape, (size_t)i);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return wrong_tensor(reading, entry->name,
                                "its shape holds something else than whole numbers from 0 up");
        entry->shape[i] = json_integer_value(number);
        uint64_t factor = (uint64_t)entry->shape[i];
        if (factor != 0 && count > SIZE_MAX / (uint64_t)bits / factor)
            return wrong_tensor(reading, entry->name, "its shape is larger than any memory");
        count *= factor;
    }
    entry->count = (size_t)count;
    return 0;
}

static int read_entry(const Reading *reading, SafetensorsEntry *entry, const char *name,
                      const json_t *value)
{
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    const char *spelled = json_string_value(json_object_get(value, "dtype"));
    const struct Dtype *dtype = spelled ? find_dtype(spelled) : NULL;

    *entry = (SafetensorsEntry){ .name = name };
    if (!json_is_object(value))
        return wrong_tensor(reading, name, "its entry in the header is no object");
    if (!dtype)
        return wrong_tensor(reading, name, spelled ? "its dtype is unknown" : "has no \"dtype\"");
    strcpy(entry->dtype, dtype->name);
    entry->type = dtype->type;
    if (read_shape(reading, entry, json_object_get(value, "shape"), dtype->bits) != 0)
        return -1;

    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return wrong_tensor(reading, name, "has no \"data_offsets\" of two whole numbers");
    json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from)
        return wrong_tensor(reading, name, "its data_offsets are no range");
    if ((uint64_t)to > reading->data_bytes)
        return wrong_tensor(
            reading, name,
            "its data lies past the end of the file; the file is cut short or damaged");
    if (entry->count * (size_t)dtype->bits % 8 != 0
        || (size_t)(to - from) != entry->count * (size_t)dtype->bits / 8)
        return wrong_tensor(reading, name, "its data_offsets do not fit its dtype and shape");
    entry->data = reading->data + from;
    return 0;
}

static int bits_of(const SafetensorsEntry *entry)
{
    return find_dtype(entry->dtype)->bits;
}

static int by_place(const void *left, const void *right)
{
    const SafetensorsEntry *a = left, *b = right;
    if (a->data != b->data)
        return a->data < b->data ? -1 : 1;
    /* an empty tensor stands before the one that starts at the same byte */
    return (a->count > 0) - (b->count > 0);
}

/* The format wants the tensors to cover the data without holes or overlaps: nothing may hide
   there. */
static int check_cover(const Reading *reading, SafetensorsEntry *entries, int count)
{
    const unsigned char *at = reading->data;

    if (count > 1)
        qsort(entries, (size_t)count, sizeof *entries, by_place);
    for (int i = 0; i < count; i++) {
        if (entries[i].data < at)
            return wrong_tensor(reading, entries[i].name,
                                "its data overlaps that of another tensor");
        if (entries[i].data > at)
            return wrong_tensor(reading, entries[i].name,
                                "its data comes after a hole in the file");
        at += entries[i].count * (size_t)bits_of(&entries[i]) / 8;
    }
    if (at != reading->data + reading->data_bytes)
        return message_fail(reading->message, reading->size,
                            "%s: %zu bytes after the last tensor belong to nothing", reading->path,
                            (size_t)(reading->data + reading->data_bytes - at));
    return 0;
}

static int check_metadata(const Reading *reading, json_t *metadata)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return message_fail(reading->message, reading->size, "%s: __metadata__ is no object",
                            reading->path);
    json_object_foreach(metadata, key, value) if (!json_is_string(value)) return message_fail(
        reading->message, reading->size, "%s: __metadata__: %.200s is no string", reading->path,
        key);
    return 0;
}

static int read_entries(const Reading *reading, Safetensors *file, json_t *header)
{
    const char *name;
    json_t *value;

    file->entries = calloc(json_object_size(header) + 1, sizeof *file->entries);
    if (!file->entries)
        return message_fail(reading->message, reading->size, "%s: out of memory", reading->path);
    json_object_foreach(header, name, value)
    {
        int wrong = strcmp(name, "__metadata__") == 0
                        ? check_metadata(reading, value)
                        : read_entry(reading, &file->entries[file->count++], name, value);
        if (wrong)
            return -1;
    }
    return check_cover(reading, file->entries, file->count);
}

/* Finds the header in the file's bytes and parses it. Returns NULL after writing the message. */
static json_t *parse_header(Reading *reading, const unsigned char *bytes, size_t count)
{
    uint64_t length = count >= 8 ? little_u64(bytes) : 0;
    json_error_t error;
    json_t *header = NULL;

    if (count < 8) {
        message_fail(reading->message, reading->size,
                     "%s: is no safetensors file: it has only %zu bytes", reading->path, count);
    } else if (length > HEADER_LIMIT || length < 2 || (count > 8 && bytes[8] != '{')) {
        message_fail(reading->message, reading->size, "%s: is no safetensors file", reading->path);
    } else if (length > count - 8) {
        message_fail(reading->message, reading->size,
                     "%s: is cut short: its header has %llu bytes and %zu are there", reading->path,
                     (unsigned long long)length, count - 8);
    } else {
        header = json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES,
                            &error);
        if (!header)
            message_fail(reading->message, reading->size, "%s: its header is wrong at byte %d: %s",
                         reading->path, 8 + error.position, error.text);
        reading->data = bytes + 8 + length;
        reading->data_bytes = count - 8 - (size_t)length;
    }
    return header;
}

/* The file's bytes against the checksum that its header tells of; its place is set to zeros on the
   way, which nobody reads again. */
static int check_checksum(const Reading *reading, const Safetensors *file, unsigned char *bytes,
                          size_t count)
{
    const char *told = safetensors_metadata(file, SAFETENSORS_CHECKSUM);
    char digits[CHECKSUM_DIGITS + 1],
        *place = told ? checksum_place((char *)bytes, (size_t)(reading->data - bytes)) : NULL;

    if (!told)
        return 0;
    if (place)
        memcpy(place, CHECKSUM_ZEROS, CHECKSUM_DIGITS);
    checksum_text(checksum_bytes(CHECKSUM_START, bytes, count), digits);
    if (place && strcmp(told, digits) == 0)
        return 0;
    return message_fail(
        reading->message, reading->size,
        "%s: damaged: its bytes do not have the checksum they were written with; take another copy "
        "or an earlier file of weights",
        reading->path);
}

/* The end of the last tensor that a header tells of, in the data. Numbers that make no sense are
   refused later. */
static size_t data_end(const json_t *header)
{
    const char *name;
    json_t *value;
    json_int_t end = 0;

    json_object_foreach((json_t *)header, name, value)
    {
        json_int_t to = json_integer_value(
            json_array_get(json_object_get(value, "data_offsets"), 1));
        if (to > end)
            end = to;
    }
    return (size_t)end;
}

/* The most bytes that a file can have which begins so, see input_file_read. */
static size_t most_bytes(const unsigned char *bytes, size_t count)
{
    uint64_t length = count > 8 ? little_u64(bytes) : 2;

    if (count <= 8)
        return SIZE_MAX / 4;
    if (length > HEADER_LIMIT || length < 2 || bytes[8] != '{')
        return 0;
    if (length > count - 8)
        return SIZE_MAX / 4;
    json_t *header = json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES,
                                NULL);
    size_t data = header ? data_end(header) : 0;
    json_decref(header);
    return data < SIZE_MAX / 4 ? 8 + (size_t)length + data : SIZE_MAX / 4;
}

int safetensors_read(Safetensors *file, const char *path, char *message, size_t size, int *io)
{
    Reading reading = { .path = path, .message = message, .size = size };
    unsigned char *bytes;
    size_t count;

    *file = (Safetensors){ 0 };
    *io = 1;
    if (input_file_read(path, most_bytes, &bytes, &count, message, size) != 0)
        return -1;
    *io = 0;

    State *state = calloc(1, sizeof *state);
    if (!state) {
        free(bytes);
        return message_fail(message, size, "%s: out of memory", path);
    }
    file->private_state = state;
    state->bytes = bytes;
    state->header = parse_header(&reading, bytes, count);
    if (!state->header || read_entries(&reading, file, state->header) != 0
        || check_checksum(&reading, file, bytes, count) != 0) {
        safetensors_free(file);
        return -1;
    }
    return 0;
}

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name)
{
    for (int i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].name, name) == 0)
            return &file->entries[i];
    return NULL;
}

const char *safetensors_metadata(const Safetensors *file, const char *key)
{
    const State *state = file->private_state;
    return state ? json_string_value(
               json_object_get(json_object_get(state->header, "__metadata__"), key))
                 : NULL;
}

void safetensors_free(Safetensors *file)
{
    State *state = file->private_state;
    if (state) {
        json_decref(state->header);
        free(state->bytes);
        free(state);
    }
    free(file->entries);
    *file = (Safetensors){ 0 };
}

static float float_at(const SafetensorsEntry *entry, size_t i)
{
    uint32_t bits = little_u32(entry->data + 4 * i);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_at(const SafetensorsEntry *entry, size_t i)
{
    uint64_t bits = little_u64(entry->data + 8 * i);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int safetensors_to_double(const SafetensorsEntry *entry, double *out)
{
    if (entry->type != SAFETENSORS_F32 && entry->type != SAFETENSORS_F64)
        return -1;
    for (size_t i = 0; i < entry->count; i++)
        out[i] = entry->type == SAFETENSORS_F32 ? (double)float_at(entry, i) : double_at(entry, i);
    return 0;
}

int safetensors_to_float(const SafetensorsEntry *entry, float *out)
{
    if (entry->type != SAFETENSORS_F32 && entry->type != SAFETENSORS_F64)
        return -1;
    for (size_t i = 0; i < entry->count; i++)
        out[i] = entry->type == SAFETENSORS_F32 ? float_at(entry, i) : (float)double_at(entry, i);
    return 0;
}

int safetensors_to_u64(const SafetensorsEntry *entry, uint64_t *out)
{
    if (entry->type != SAFETENSORS_U64)
        return -1;
    for (size_t i = 0; i < entry->count; i++)
        out[i] = little_u64(entry->data + 8 * i);
    return 0;
}
