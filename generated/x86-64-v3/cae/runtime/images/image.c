#define _POSIX_C_SOURCE 200809L
#include "image.h"

#include "formats/input_file.h"
#include "image_private.h"
#include "memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* no picture within the limits of image.h needs more; /dev/zero has more */
enum { MAX_FILE_BYTES = 1 << 30 };
/* bytes that are asked for without looking how many are free */
enum { ALWAYS_THERE = 64 << 20 };
enum { HEAD_BYTES = 32 }; /* what tells a format, and the size of a PNG */

typedef enum Format { FORMAT_JPEG, FORMAT_PNG, FORMAT_OTHER } Format;

typedef struct Signature {
    const char *name;
    size_t at, length;
    const char *bytes;
} Signature;

static const Signature signatures[] = {
    { "JPEG", 0, 3, "\xFF\xD8\xFF" },
    { "PNG", 0, 8, "\x89PNG\r\n\x1A\n" },
    { "WebP", 8, 4, "WEBP" },
    { "GIF", 0, 4, "GIF8" },
    { "BMP", 0, 2, "BM" },
    { "TIFF", 0, 4, "II*\0" },
    { "TIFF", 0, 4, "MM\0*" },
    { "AVIF", 4, 8, "ftypavif" },
    { "HEIF", 4, 7, "ftyphei" },
    { "HEIF", 4, 8, "ftypmif1" },
    { "JPEG 2000", 0, 8, "\0\0\0\x0CjP  " },
    { "JPEG 2000", 0, 4, "\xFF\x4F\xFF\x51" },
    { "JPEG XL", 0, 2, "\xFF\x0A" },
    { "JPEG XL", 0, 8, "\0\0\0\x0CJXL " },
    { "icon", 0, 4, "\0\0\1\0" },
    { "Photoshop", 0, 4, "8BPS" },
    { "PDF", 0, 5, "%PDF-" },
    { "SVG", 0, 4, "<svg" },
    { "HTML", 0, 9, "<!DOCTYPE" },
    { "HTML", 0, 5, "<html" },
    { "XML", 0, 5, "<?xml" },
    { "zip", 0, 4, "PK\3\4" },
};

/* The format's name; NULL: unknown. */
static const char *format_name(const uint8_t *head, size_t n)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const Signature *s = &signatures[i];
        if (n >= s->at + s->length && memcmp(head + s->at, s->bytes, s->length) == 0)
            return s->name;
    }
    if (n >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && strchr(" \t\r\n", head[2]))
        return "PPM";
    return NULL;
}

/* FORMAT_OTHER comes with the error filled in. */
static Format tell_format(const char *path, const uint8_t *head, size_t n, Error *error)
{
    const char *name = format_name(head, n);
    if (name && strcmp(name, "JPEG") == 0)
        return FORMAT_JPEG;
    if (name && strcmp(name, "PNG") == 0)
        return FORMAT_PNG;
    if (n == 0)
        error_set(error, EXIT_INPUT, "%s: an empty file, not a picture", path);
    else if (name)
        error_set(error, EXIT_INPUT,
                  "%s: a %s file; only JPEG and PNG are read, convert it to one of them", path,
                  name);
    else
        error_set(error, EXIT_INPUT,
                  "%s: neither JPEG nor PNG by its first bytes; convert it to one of them", path);
    return FORMAT_OTHER;
}

int image_check_size(const char *path, int64_t width, int64_t height, Error *error)
{
    if (width < 1 || height < 1)
        return error_set(error, EXIT_INPUT,
                         "%s: its header says %lld x %lld pixels; save it anew from its source",
                         path, (long long)width, (long long)height);
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || width * height > IMAGE_MAX_PIXELS)
        return error_set(
            error, EXIT_INPUT,
            "%s: %lld x %lld pixels, but at most %d a side and %d million in all are read; scale "
            "it down",
            path, (long long)width, (long long)height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS / 1000000);
    return 0;
}

int image_check_memory(const char *path, size_t bytes, Error *error)
{
    size_t available = bytes > ALWAYS_THERE ? memory_available() : 0;
    if (available > 0 && bytes > available)
        return error_set(
            error, EXIT_INPUT,
            "%s: decoding it takes %zu MiB of memory, and %zu MiB are free; scale it down", path,
            bytes >> 20, available >> 20);
    return 0;
}

/* A PNG file begins with its signature (8 bytes), then the chunk IHDR: length (4), name (4), width
   (4), height (4), bits (1), ... */
static int check_png_head(const char *path, const uint8_t *head, size_t n, int64_t *width,
                          int64_t *height, int *bits, Error *error)
{
    if (n < 25)
        return error_set(error, EXIT_INPUT,
                         "%s: a truncated PNG file (%zu bytes); copy it again from its source",
                         path, n);
    if (memcmp(head + 12, "IHDR", 4) != 0)
        return error_set(error, EXIT_INPUT,
                         "%s: a damaged PNG file (no header); save it anew from its source", path);
    *width = (int64_t)head[16] << 24 | head[17] << 16 | head[18] << 8 | head[19];
    *height = (int64_t)head[20] << 24 | head[21] << 16 | head[22] << 8 | head[23];
    *bits = head[24];
    return image_check_size(path, *width, *height, error);
}

/* A read that a signal interrupts is taken up again: nothing is wrong with the file. */
static int interrupted(FILE *f)
{
    if (!ferror(f) || errno != EINTR)
        return 0;
    clearerr(f);
    return 1;
}

static size_t read_bytes(FILE *f, uint8_t *bytes, size_t n)
{
    size_t got = 0;
    do
        got += fread(bytes + got, 1, n - got, f);
    while (got < n && interrupted(f));
    return got;
}

static int next_byte(FILE *f)
{
    int c;
    do
        c = getc(f);
    while (c == EOF && interrupted(f));
    return c;
}

static int skip_bytes(FILE *f, long n)
{
    while (fseek(f, n, SEEK_CUR) != 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

static int read_short(FILE *f)
{
    int high = next_byte(f), low = next_byte(f);
    return high == EOF || low == EOF ? -1 : high << 8 | low;
}

/* Walks over the segments of a JPEG file up to the frame header (SOF), which has: length (2),
   precision (1), height (2), width (2), ... -1 where the picture's data or the file's end come
   first. */
static int find_jpeg_size(FILE *f, int64_t *width, int64_t *height)
{
    enum {
        TEM = 0x01,
        DHT = 0xC4,
        JPG = 0xC8,
        DAC = 0xCC,
        RST0 = 0xD0,
        SOI = 0xD8,
        EOI = 0xD9,
        SOS = 0xDA
    };
    for (;;) {
        int c = next_byte(f);
        while (c != 0xFF && c != EOF)
            c = next_byte(f);
        while (c == 0xFF)
            c = next_byte(f);
        if (c == EOF || c == EOI || c == SOS)
            return -1;
        if (c == 0 || c == TEM || (c >= RST0 && c <= SOI))
            continue;
        int length = read_short(f);
        if (length < 2)
            return -1;
        if (c >= 0xC0 && c <= 0xCF && c != DHT && c != JPG && c != DAC) {
            next_byte(f);
            *height = read_short(f);
            *width = read_short(f);
            return *height < 0 || *width < 0 ? -1 : 0;
        }
        if (skip_bytes(f, length - 2) != 0)
            return -1;
    }
}

static int cannot_read(const char *path, int reason, Error *error)
{
    error_set(error, EXIT_FILE, "%s: cannot be read: %s", path, strerror(reason));
    error->shortage = error_is_shortage(reason);
    return -1;
}

static void refuse_size(const char *path, Error *error)
{
    error_set(error, EXIT_INPUT, "%s: a file of more than 1 GiB; scale it down", path);
}

static FILE *open_file(const char *path, struct stat *status, Error *error)
{
    char message[sizeof error->text];
    int fd = input_file_open(path, status, message, sizeof message);
    if (fd < 0) {
        int shortage = error_is_shortage(errno);
        error_set(error, EXIT_FILE, "%s", message);
        error->shortage = shortage;
        return NULL;
    }
    if (S_ISREG(status->st_mode) && status->st_size > MAX_FILE_BYTES) {
        close(fd);
        refuse_size(path, error);
        return NULL;
    }
    FILE *f = fdopen(fd, "rb");
    if (!f) {
        close(fd);
        cannot_read(path, ENOMEM, error);
    }
    return f;
}

static int probe(FILE *f, const char *path, int64_t *width, int64_t *height, int *bits,
                 Error *error)
{
    uint8_t head[HEAD_BYTES];
    size_t n = read_bytes(f, head, sizeof head);
    if (ferror(f))
        return cannot_read(path, errno, error);
    switch (tell_format(path, head, n, error)) {
    case FORMAT_PNG: return check_png_head(path, head, n, width, height, bits, error);
    case FORMAT_JPEG:
        *bits = 8;
        rewind(f);
        if (find_jpeg_size(f, width, height) != 0)
            return ferror(f) ? cannot_read(path, errno, error)
                             : error_set(error, EXIT_INPUT,
                                         "%s: a truncated or damaged JPEG file (no frame header); "
                                         "copy it again from its source",
                                         path);
        return image_check_size(path, *width, *height, error);
    default: return -1;
    }
}

int image_probe(const char *path, int *width, int *height, int *bits, Error *error)
{
    struct stat status;
    FILE *f = open_file(path, &status, error);
    if (!f)
        return -1;
    int64_t w = 0, h = 0;
    int result = probe(f, path, &w, &h, bits, error);
    fclose(f);
    *width = (int)w;
    *height = (int)h;
    return result;
}

/* More room for what has filled its own, up to MAX_FILE_BYTES and one byte, which shows that there
   is more; NULL: none. A file without an end, or one that is no picture, is not read on. */
static uint8_t *more_room(const char *path, uint8_t *bytes, size_t *room, Error *error)
{
    size_t bigger = *room < MAX_FILE_BYTES / 2 ? *room * 2 : (size_t)MAX_FILE_BYTES + 1;
    uint8_t *more = NULL;
    if (*room > MAX_FILE_BYTES)
        refuse_size(path, error);
    else if (tell_format(path, bytes, HEAD_BYTES, error) != FORMAT_OTHER
             && image_check_memory(path, bigger, error) == 0) {
        more = realloc(bytes, bigger);
        if (!more)
            error_set_shortage(error, "%s: not enough memory to read it; scale it down", path);
    }
    if (!more)
        free(bytes);
    *room = bigger;
    return more;
}

/* The whole file, also if it is a pipe. NULL: the error is filled in. */
uint8_t *image_load(const char *path, size_t *size, Error *error)
{
    struct stat status;
    FILE *f = open_file(path, &status, error);
    if (!f)
        return NULL;
    size_t room = 1 << 16;
    /* one more, so that the end is seen without growing */
    if (S_ISREG(status.st_mode) && status.st_size > 0)
        room = (size_t)status.st_size + 1;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        error_set_shortage(error, "%s: not enough memory to read it; scale it down", path);
    *size = 0;
    while (bytes) {
        *size += read_bytes(f, bytes + *size, room - *size);
        if (*size < room)
            break;
        bytes = more_room(path, bytes, &room, error);
    }
    if (bytes && ferror(f)) {
        cannot_read(path, errno, error);
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    return bytes;
}

/* Orientation 1-8 as EXIF defines it: 5-8 swap the sides. Walks over the stored pixels from the
   corner that is shown at the top left. */
static int turn(Image *image, int orientation, const char *path, Error *error)
{
    static const struct {
        int swap, from_right, from_bottom;
    } ways[9] = {
        { 0 },       { 0, 0, 0 }, { 0, 1, 0 }, { 0, 1, 1 }, { 0, 0, 1 },
        { 1, 0, 0 }, { 1, 0, 1 }, { 1, 1, 1 }, { 1, 1, 0 },
    };
    if (orientation == 1)
        return 0;
    int w = image->width, h = image->height, swap = ways[orientation].swap;
    ptrdiff_t right = 3, down = (ptrdiff_t)w * 3;
    const uint8_t *corner = image->pixels;
    if (ways[orientation].from_right) {
        corner += (w - 1) * right;
        right = -right;
    }
    if (ways[orientation].from_bottom) {
        corner += (h - 1) * down;
        down = -down;
    }
    Image turned = { swap ? h : w, swap ? w : h, 3, malloc((size_t)w * (size_t)h * 3),
                     image->bits };
    if (!turned.pixels)
        return error_set_shortage(error, "%s: not enough memory to turn its %d x %d pixels upright",
                                  path, w, h);
    uint8_t *to = turned.pixels;
    ptrdiff_t step_x = swap ? down : right, step_y = swap ? right : down;
    for (int y = 0; y < turned.height; y++)
        for (int x = 0; x < turned.width; x++, to += 3)
            memcpy(to, corner + y * step_y + x * step_x, 3);
    image_free(image);
    *image = turned;
    return 0;
}

int image_decode(Image *image, const char *path, const uint8_t *bytes, size_t size, Error *error)
{
    int orientation = 1, status = -1, bits = 8;
    *image = (Image){ 0 };
    int64_t width, height;
    switch (tell_format(path, bytes, size, error)) {
    case FORMAT_JPEG:
        status = image_decode_jpeg(image, &orientation, path, bytes, size, error);
        break;
    case FORMAT_PNG:
        status = check_png_head(path, bytes, size, &width, &height, &bits, error);
        if (status == 0)
            status = image_decode_png(image, &orientation, path, bytes, size, error);
        break;
    default: break;
    }
    image->bits = bits;
    if (status == 0 && turn(image, orientation, path, error) != 0) {
        image_free(image);
        status = -1;
    }
    return status;
}

int image_read(Image *image, const char *path, Error *error)
{
    *image = (Image){ 0 };
    size_t size;
    uint8_t *bytes = image_load(path, &size, error);
    if (!bytes)
        return -1;
    int status = image_decode(image, path, bytes, size, error);
    free(bytes);
    return status;
}

void image_warn_deep(const char *path, int bits, void (*warn)(const char *text))
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    Error text;
    if (bits <= 8 || !warn || atomic_flag_test_and_set(&said))
        return;
    error_set(&text, EXIT_DONE,
              "%s: its %d bits a channel are rounded to 8, and so are those of all such pictures",
              path, bits);
    warn(text.text);
}

void image_free(Image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}
