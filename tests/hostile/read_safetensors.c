/* Weights: runtime/formats/safetensors.h. */
#include "formats/safetensors.h"

#include "reader.h"

#include <stdlib.h>
#include <string.h>

/* Reads every element in each of the ways that its type allows. */
static void use(const SafetensorsEntry *entry)
{
    size_t room = entry->count * sizeof(double) + 1;
    void *numbers = malloc(room);
    if (!numbers)
        reader_broken("an entry lies in the file, so its numbers fit in memory");
    int is_float = entry->type == SAFETENSORS_F32 || entry->type == SAFETENSORS_F64;
    if ((safetensors_to_double(entry, numbers) == 0) != is_float
        || (safetensors_to_float(entry, numbers) == 0) != is_float)
        reader_broken("floats, and nothing else, are read as floats");
    if ((safetensors_to_u64(entry, numbers) == 0) != (entry->type == SAFETENSORS_U64))
        reader_broken("U64, and nothing else, is read as such");
    free(numbers);
}

void reader_take(const uint8_t *bytes, size_t size)
{
    char message[800] = "";
    int io = -1;
    Safetensors file;
    const char *path = reader_file(bytes, size);
    if (safetensors_read(&file, path, message, sizeof message, &io) != 0) {
        reader_check_message(message, path);
        if (io != 0 || file.entries || file.private_state)
            reader_broken("a refused file leaves nothing behind");
        return;
    }
    size_t elements = 0;
    for (int i = 0; i < file.count; i++) {
        if (safetensors_find(&file, file.entries[i].name) != &file.entries[i])
            reader_broken("names are unique");
        use(&file.entries[i]);
        elements += file.entries[i].count;
    }
    if (elements > 2 * size)
        reader_broken("there are no more elements than bytes: the smallest has four bits");
    safetensors_metadata(&file, "caec.format");
    safetensors_free(&file);
}
