#include "image_private.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* A small progressive file may claim thousands of scans over a large picture and cost minutes; real
   ones have about ten. */
enum { MAX_SCANS = 500 };
/* of all scans together */
static const int64_t max_scanned_pixels = (int64_t)16 * IMAGE_MAX_PIXELS;

/* libjpeg hands its callbacks `jpeg` (or its parts), from whose client_data we find ourselves. */
typedef struct Decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr messages;
    struct jpeg_progress_mgr progress;
    jmp_buf refused;
    int ends_early;
    char reason[JMSG_LENGTH_MAX];
} Decoder;

static void refuse(j_common_ptr jpeg)
{
    Decoder *decoder = jpeg->client_data;
    if (!decoder->reason[0])
        jpeg->err->format_message(jpeg, decoder->reason);
    longjmp(decoder->refused, 1);
}

/* libjpeg warns where it goes on with something made up. Warnings of the kinds listed here lose no
   pixel: bytes between two markers (common in files that cameras and web shops touched up), header
   fields that mean nothing here. All others stand for lost data: a segment or a file that ends
   before all blocks are there, codes that do not exist, restart markers out of turn. */
static int loses_nothing(int code)
{
    switch (code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL: return 1;
    default: return 0;
    }
}

static void on_message(j_common_ptr jpeg, int level)
{
    Decoder *decoder = jpeg->client_data;
    int code = jpeg->err->msg_code;
    if (level >= 0 || loses_nothing(code))
        return;
    decoder->ends_early = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER;
    refuse(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    Decoder *decoder = jpeg->client_data;
    int scans = decoder->jpeg.input_scan_number;
    int64_t pixels = (int64_t)decoder->jpeg.image_width * decoder->jpeg.image_height;
    if (scans <= MAX_SCANS && scans * pixels <= max_scanned_pixels)
        return;
    snprintf(decoder->reason, sizeof decoder->reason, "%d scans and more over %lld pixels", scans,
             (long long)pixels);
    refuse(jpeg);
}

/* The first APP1 segment that is EXIF (XMP lives in APP1 too). */
static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char head[6] = "Exif";
    for (const struct jpeg_marker_struct *marker = jpeg->marker_list; marker; marker = marker->next)
        if (marker->data_length > sizeof head && memcmp(marker->data, head, sizeof head) == 0)
            return image_exif_orientation(marker->data + sizeof head,
                                          marker->data_length - sizeof head);
    return 1;
}

/* Rounds a * b / 255. */
static int multiply(int a, int b)
{
    int product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

/* Adobe's programs, which wrote nearly all four-ink JPEG files there are, store inks inverted: 255
   is bare paper. Viewers therefore take all such files that way, and without a colour profile mix
   the inks by this product. */
static void inks_to_rgb(const uint8_t *inks, uint8_t *rgb, int width)
{
    for (int x = 0; x < width; x++, inks += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            int value = inks[3] - multiply(255 - inks[c], inks[3]);
            rgb[c] = (uint8_t)(value < 0 ? 0 : value);
        }
}

static int choose_colours(struct jpeg_decompress_struct *jpeg, const char *path, Error *error)
{
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_RGB:
    case JCS_YCbCr: jpeg->out_color_space = JCS_RGB; return 0;
    case JCS_CMYK:
    case JCS_YCCK: jpeg->out_color_space = JCS_CMYK; return 0;
    default:
        return error_set(
            error, EXIT_INPUT,
            "%s: a JPEG file of %d colour components, which is none of grey, RGB or CMYK; convert "
            "it to RGB",
            path, jpeg->num_components);
    }
}

static int read_header(Decoder *decoder, const char *path, const uint8_t *bytes, size_t size,
                       Error *error)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg_create_decompress(jpeg);
    decoder->progress.progress_monitor = on_progress;
    jpeg->progress = &decoder->progress;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    if (image_check_size(path, jpeg->image_width, jpeg->image_height, error) != 0)
        return -1;
    return choose_colours(jpeg, path, error);
}

static int decode(Decoder *decoder, Image *image, int *orientation, const char *path,
                  const uint8_t *bytes, size_t size, Error *error)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (read_header(decoder, path, bytes, size, error) != 0)
        return -1;
    *orientation = find_orientation(jpeg);
    *image = (Image){ (int)jpeg->image_width, (int)jpeg->image_height, 3, NULL, 8 };
    size_t pitch = (size_t)image->width * 3, pixels = (size_t)image->width * (size_t)image->height;
    size_t coefficients = jpeg_has_multiple_scans(jpeg)
                              ? pixels * (size_t)jpeg->num_components * sizeof(JCOEF)
                              : 0;
    if (image_check_memory(path, 3 * pixels + coefficients, error) != 0)
        return -1;
    image->pixels = malloc(3 * pixels);
    if (!image->pixels)
        return error_set_shortage(error, "%s: not enough memory for its %d x %d pixels", path,
                                  image->width, image->height);

    jpeg_start_decompress(jpeg);
    JSAMPARRAY inks = NULL;
    if (jpeg->out_color_space == JCS_CMYK)
        inks = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = image->pixels + jpeg->output_scanline * pitch;
        jpeg_read_scanlines(jpeg, inks ? inks : &row, 1);
        if (inks)
            inks_to_rgb(inks[0], row, image->width);
    }
    /* Reads on to the end marker: a file without one was cut off, even if by chance after its last
       block. */
    jpeg_finish_decompress(jpeg);
    return 0;
}

/* Decodes, or comes back here by refuse(). Without locals: what was stored in one since setjmp
   would be lost or not, as the compiler likes. */
static int decode_or_refuse(Decoder *decoder, Image *image, int *orientation, const char *path,
                            const uint8_t *bytes, size_t size, Error *error)
{
    if (setjmp(decoder->refused) == 0)
        return decode(decoder, image, orientation, path, bytes, size, error);
    if (decoder->ends_early)
        return error_set(error, EXIT_INPUT,
                         "%s: a truncated JPEG file (%s); copy it again from its source", path,
                         decoder->reason);
    if (decoder->messages.msg_code == JERR_OUT_OF_MEMORY)
        return error_set_shortage(error, "%s: not enough memory to read it", path);
    return error_set(error, EXIT_INPUT,
                     "%s: a damaged or unusual JPEG file (%s); save it anew from its source", path,
                     decoder->reason);
}

int image_decode_jpeg(Image *image, int *orientation, const char *path, const uint8_t *bytes,
                      size_t size, Error *error)
{
    Decoder decoder;
    memset(&decoder, 0, sizeof decoder);
    decoder.jpeg.err = jpeg_std_error(&decoder.messages);
    decoder.jpeg.client_data = &decoder;
    decoder.messages.error_exit = refuse;
    decoder.messages.emit_message = on_message;
    image->pixels = NULL;
    int status = decode_or_refuse(&decoder, image, orientation, path, bytes, size, error);
    jpeg_destroy_decompress(&decoder.jpeg);
    if (status != 0)
        image_free(image);
    return status;
}
