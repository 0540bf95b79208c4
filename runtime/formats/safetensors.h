/* safetensors.h - the safetensors format (https://github.com/huggingface/safetensors): an 8-byte
 * little-endian header length, a JSON header {"name": {"dtype", "shape", "data_offsets"},
 * "__metadata__": {string: string}}, then the tensors' bytes, little-endian.
 *
 * Works on machines of either byte order. Knows nothing of models: the compiler reads baked weights
 * with it too. */
#ifndef CAEC_SAFETENSORS_H
#define CAEC_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

enum { SAFETENSORS_MAX_RANK = 8 };

/* A file may carry a checksum of itself in its metadata, under this key: 64-bit FNV-1a over all of
   its bytes, the sixteen digits of the checksum taken as zeros. FNV-1a sees every change of a
   single byte for certain. */
#define SAFETENSORS_CHECKSUM "caec.file_checksum"

typedef enum SafetensorsType {
    SAFETENSORS_F32,
    SAFETENSORS_F64,
    SAFETENSORS_U64,
    SAFETENSORS_OTHER
} SafetensorsType;

typedef struct SafetensorsEntry {
    const char *name;
    SafetensorsType type;
    char dtype[8]; /* as the file spells it */
    int rank;
    int64_t shape[SAFETENSORS_MAX_RANK];
    size_t count;              /* product of the shape */
    const unsigned char *data; /* little-endian bytes as in the file */
} SafetensorsEntry;

typedef struct Safetensors {
    SafetensorsEntry *entries;
    int count;
    void *private_state;
} Safetensors;

/* Reads a whole file into memory. 0, or -1 with the reason in message[size] (names the file; one
   line) and *io set to 1 where the file could not be read at all, 0 where its content is wrong.
   Everything is checked before anything is believed: lengths, overlaps, gaps, types, products that
   overflow, duplicate names, header over 16 MiB, and the checksum, where there is one. */
int safetensors_read(Safetensors *file, const char *path, char *message, size_t size, int *io);
/* NULL: none */
const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name);
/* NULL: none */
const char *safetensors_metadata(const Safetensors *file, const char *key);

/* Converts an entry's elements, F32 or F64, to doubles / floats: out[count]. -1 where the type is
   another. */
int safetensors_to_double(const SafetensorsEntry *entry, double *out);
int safetensors_to_float(const SafetensorsEntry *entry, float *out);
/* type U64 only */
int safetensors_to_u64(const SafetensorsEntry *entry, uint64_t *out);
void safetensors_free(Safetensors *file);

/* What to write: native values, converted to little-endian on the way. `values` is float *, double
   * or uint64_t * as `type` says. */
typedef struct SafetensorsItem {
    const char *name;
    SafetensorsType type;
    int rank;
    int64_t shape[SAFETENSORS_MAX_RANK];
    const void *values;
} SafetensorsItem;

/* Writes the file whole or not at all: temporary file in the same folder, fsync, rename, fsync of
   the folder. Metadata: `pairs` keys and values (keys[i], values[i]); the value of
   SAFETENSORS_CHECKSUM is filled in here. The order of items is kept; the data starts at a multiple
   of 8. 0, or -1 with the reason. */
int safetensors_write(const char *path, const SafetensorsItem *items, int count,
                      const char *const *keys, const char *const *values, int pairs, char *message,
                      size_t size);

#endif
