/* Latents: runtime/formats/npy.h. */
#include "formats/npy.h"

#include "reader.h"

void reader_take(const uint8_t *bytes, size_t size)
{
    char message[800] = "";
    int io = -1;
    NpyReader reader;
    double numbers[7];
    const char *path = reader_file(bytes, size);
    if (npy_open(&reader, path, message, sizeof message, &io) != 0) {
        reader_check_message(message, path);
        if (io != 0 || reader.stream)
            reader_broken("a refused file is closed");
        return;
    }
    if (reader.count > size)
        reader_broken("there are no more elements than bytes");
    while (reader.left > 0) {
        size_t n = reader.left < 7 ? reader.left : 7;
        if (npy_next(&reader, numbers, n, message, sizeof message, &io) != 0)
            reader_broken("all elements of a plain file that was taken are there");
    }
    if (npy_next(&reader, numbers, 1, message, sizeof message, &io) == 0)
        reader_broken("nothing comes after the last element");
    reader_check_message(message, path);
    npy_close(&reader);
}
