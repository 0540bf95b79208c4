#include "image_private.h"

#include "formats/message.h"
#include "formats/whole_file.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must outlive libpng's jump back on an error. */
typedef struct Coder {
    png_structp png;
    png_infop info;
    const char *path;
    const uint8_t *bytes;
    size_t size, at;
    png_bytepp rows;
    int ends_early;
    char reason[128];
} Coder;

static void on_error(png_structp png, png_const_charp text)
{
    Coder *coder = png_get_error_ptr(png);
    snprintf(coder->reason, sizeof coder->reason, "%s", text);
    png_longjmp(png, 1);
}

/* libpng's warnings tell of profiles, dates and texts that make no sense; none of them touches a
   pixel. */
static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t n)
{
    Coder *coder = png_get_io_ptr(png);
    if (coder->size - coder->at < n) {
        coder->ends_early = 1;
        png_error(png, "the file ends early");
    }
    memcpy(out, coder->bytes + coder->at, n);
    coder->at += n;
}

/* s * a + 255 * (255 - a), divided by 255 and rounded: the pixel over white. Four bytes a pixel
   become three in place. */
static void flatten_over_white(uint8_t *pixels, size_t count)
{
    const uint8_t *from = pixels;
    uint8_t *to = pixels;
    for (size_t i = 0; i < count; i++, from += 4, to += 3) {
        int alpha = from[3];
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

/* Every kind of PNG as 8-bit RGBA. A 16-bit value is rounded to the nearest of 8 bits; gamma and
   profiles are left alone, as for JPEG. */
static void ask_for_rgba(png_structp png, png_infop info)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* Of the chunks besides the pixels only eXIf and tRNS matter here. The rest is skipped: libpng
   would keep a thousand compressed texts of 8 MB each. */
static void skip_chunks(png_structp png)
{
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf", 1);
}

/* Walks over the chunks, from after the signature to IEND: length (4), name (4), as many bytes,
   checksum (4). libpng sets memory aside for what a chunk claims before it reads it. */
static int chunks_fit(const uint8_t *bytes, size_t size)
{
    for (size_t at = 8; size - at >= 8 && memcmp(bytes + at + 4, "IEND", 4) != 0;) {
        size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16
                        | (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (size - at < 12 || length > size - at - 12)
            return 0;
        at += 12 + length;
    }
    return 1;
}

static int read_pixels(Coder *coder, Image *image, Error *error)
{
    size_t pitch = (size_t)image->width * 4, height = (size_t)image->height;
    if (image_check_memory(coder->path, pitch * height, error) != 0)
        return -1;
    image->pixels = malloc(pitch * height);
    coder->rows = malloc(height * sizeof *coder->rows);
    if (!image->pixels || !coder->rows)
        return error_set_shortage(error, "%s: not enough memory for its %d x %d pixels",
                                  coder->path, image->width, image->height);
    for (size_t y = 0; y < height; y++)
        coder->rows[y] = image->pixels + y * pitch;
    png_read_image(coder->png, coder->rows);
    png_read_end(coder->png, coder->info); /* checks the last pixels' checksums */
    flatten_over_white(image->pixels, (size_t)image->width * height);
    uint8_t *smaller = realloc(image->pixels, (size_t)image->width * 3 * height);
    if (smaller)
        image->pixels = smaller;
    return 0;
}

static int decode(Coder *coder, Image *image, int *orientation, Error *error)
{
    png_structp png = coder->png;
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_read_fn(png, coder, read_bytes);
    skip_chunks(png);
    if (!chunks_fit(coder->bytes, coder->size)) {
        coder->ends_early = 1;
        png_error(png, "a chunk is longer than what is left of the file");
    }
    png_read_info(png, coder->info);
    *image = (Image){ (int)png_get_image_width(png, coder->info),
                      (int)png_get_image_height(png, coder->info), 3, NULL, 8 };
    if (image_check_size(coder->path, image->width, image->height, error) != 0)
        return -1;
    ask_for_rgba(png, coder->info);
    if (read_pixels(coder, image, error) != 0)
        return -1;
    png_bytep exif = NULL;
    png_uint_32 exif_size = 0;
    if (png_get_eXIf_1(png, coder->info, &exif_size, &exif) && exif)
        *orientation = image_exif_orientation(exif, exif_size);
    return 0;
}

/* Decodes, or comes back here by on_error(). Without locals: what was stored in one since setjmp
   would be lost or not, as the compiler likes. */
static int decode_or_refuse(Coder *coder, Image *image, int *orientation, Error *error)
{
    if (setjmp(png_jmpbuf(coder->png)) == 0)
        return decode(coder, image, orientation, error);
    if (coder->ends_early)
        return error_set(error, EXIT_INPUT,
                         "%s: a truncated PNG file (%s); copy it again from its source",
                         coder->path, coder->reason);
    return error_set(error, EXIT_INPUT, "%s: a damaged PNG file (%s); save it anew from its source",
                     coder->path, coder->reason);
}

int image_decode_png(Image *image, int *orientation, const char *path, const uint8_t *bytes,
                     size_t size, Error *error)
{
    Coder coder = { .path = path, .bytes = bytes, .size = size };
    *orientation = 1;
    image->pixels = NULL;
    coder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &coder, on_error, on_warning);
    coder.info = coder.png ? png_create_info_struct(coder.png) : NULL;
    int status;
    if (coder.info)
        status = decode_or_refuse(&coder, image, orientation, error);
    else
        status = error_set_shortage(error, "%s: not enough memory to read it", path);
    png_destroy_read_struct(&coder.png, &coder.info, NULL);
    free(coder.rows);
    if (status != 0)
        image_free(image);
    return status;
}

/* Writing errors stay with the stream, where whole_file_commit finds them. */
static void write_bytes(png_structp png, png_bytep bytes, size_t n)
{
    fwrite(bytes, 1, n, png_get_io_ptr(png));
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void encode(const Coder *coder, int width, int height, int channels, const uint8_t *pixels)
{
    png_structp png = coder->png;
    /* a sheet may be larger than what image_read takes */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, coder->info, (png_uint_32)width, (png_uint_32)height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, coder->info);
    for (int y = 0; y < height; y++)
        png_write_row(png, pixels + (size_t)y * (size_t)width * (size_t)channels);
    png_write_end(png, coder->info);
}

/* As decode_or_refuse. */
static int encode_or_fail(const Coder *coder, int width, int height, int channels,
                          const uint8_t *pixels)
{
    if (setjmp(png_jmpbuf(coder->png)) != 0)
        return -1;
    encode(coder, width, height, channels, pixels);
    return 0;
}

int image_write_png(const char *path, int width, int height, int channels, const uint8_t *pixels,
                    Error *error)
{
    Coder coder = { .path = path, .reason = "not enough memory" };
    WholeFile file;
    char message[sizeof error->text];
    if (channels != 1 && channels != 3)
        return error_set(error, EXIT_INPUT,
                         "%s: a picture of %d channels; PNG files have 1 or 3 here", path,
                         channels);
    if (whole_file_open(&file, path, message, sizeof message) != 0)
        return error_set(error, EXIT_FILE, "%s", message);
    coder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &coder, on_error, on_warning);
    coder.info = coder.png ? png_create_info_struct(coder.png) : NULL;
    int status = -1;
    if (coder.info)
        png_set_write_fn(coder.png, file.stream, write_bytes, flush_nothing);
    if (coder.info && encode_or_fail(&coder, width, height, channels, pixels) == 0) {
        status = whole_file_commit(&file, message, sizeof message);
    } else {
        whole_file_abandon(&file);
        message_fail(message, sizeof message, "%s: cannot be written: %s", path, coder.reason);
    }
    png_destroy_write_struct(&coder.png, &coder.info);
    return status == 0 ? 0 : error_set(error, EXIT_FILE, "%s", message);
}
