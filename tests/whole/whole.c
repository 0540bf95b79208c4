#define _POSIX_C_SOURCE 200809L
#include "whole.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

void pictures_write(const char *folder, const char *name, int count, int seed)
{
    Result made = run(folder, SMALL_TRAIN " pictures --out %s --count %d --seed %d", name, count,
                      seed);
    want_exit(&made, 0);
    result_free(&made);
}

Picture picture_read(const char *path)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    if (!png_image_begin_read_from_file(&image, path))
        fail_msg("%s: %s", path, image.message);
    image.format = PNG_FORMAT_RGB;
    Picture picture = { (int)image.width, (int)image.height, malloc(PNG_IMAGE_SIZE(image)) };
    assert_non_null(picture.pixels);
    if (!png_image_finish_read(&image, NULL, picture.pixels, 0, NULL))
        fail_msg("%s: %s", path, image.message);
    return picture;
}

bool picture_holds(const Picture *sheet, int x, int y, const Picture *part)
{
    size_t bytes = (size_t)part->width * 3;
    assert_true(x + part->width <= sheet->width && y + part->height <= sheet->height);
    for (int row = 0; row < part->height; row++) {
        const unsigned char *from = sheet->pixels
                                    + ((size_t)(y + row) * (size_t)sheet->width + (size_t)x) * 3;
        if (memcmp(from, part->pixels + (size_t)row * bytes, bytes) != 0)
            return false;
    }
    return true;
}

double field_of(const char *line, int place)
{
    const char *at = line;
    for (int i = 0; i < place; i++) {
        at = strchr(at, ',');
        if (!at)
            fail_msg("no field %d in: %s", place, line);
        at++;
    }
    char *end;
    double value = strtod(at, &end);
    if (end == at)
        fail_msg("field %d is no number in: %s", place, line);
    return value;
}

int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

void want_refusal(const Result *result, int exit_code, const char *what)
{
    want_exit(result, exit_code);
    if (count_lines(result->err) != 1 || !strstr(result->err, what) || result->out_length > 0)
        fail_msg("one line on stderr that names %s was wanted, not\n%.1000s%.1000s", what,
                 result->err, result->out);
}
