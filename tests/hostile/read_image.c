/* Pictures: runtime/images/image.h. */
#include "images/image.h"

#include "reader.h"

/* pixels; files that claim more are left alone, since decoding them is only slow */
enum { SLOW = 1 << 21 };

void reader_take(const uint8_t *bytes, size_t size)
{
    Error error = { 0 };
    Image image;
    int width = 0, height = 0, bits = 0;
    const char *path = reader_file(bytes, size);
    int probed = image_probe(path, &width, &height, &bits, &error) == 0;
    if (!probed)
        reader_check_message(error.text, path);
    else if ((int64_t)width * height > SLOW)
        return;
    if (image_read(&image, path, &error) != 0) {
        reader_check_message(error.text, path);
        if (image.pixels || error.exit_code != EXIT_INPUT)
            reader_broken("a refused picture leaves nothing behind");
        return;
    }
    if (image.channels != 3
        || (probed && (int64_t)image.width * image.height != (int64_t)width * height))
        reader_broken("what is read is what its header promised");
    uint8_t fitted[16 * 9 * 3];
    for (int channels = 1; channels <= 3; channels += 2)
        if (image_fit(&image, 16, 9, channels, fitted, &error) != 0)
            reader_broken("every picture can be scaled");
    image_free(&image);
}
