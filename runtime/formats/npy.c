#define _POSIX_C_SOURCE 200809L /* fileno, fstat */
#include "npy.h"

#include "input_file.h"
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_LIMIT = 1 << 16, WRITTEN_HEADER = 256 }; /* bytes */

static const char magic[6] = { '\x93', 'N', 'U', 'M', 'P', 'Y' };

/* The header's text while it is read, a place in it, and where a message goes. */
typedef struct Parser {
    const char *at, *path;
    char *message;
    size_t size;
} Parser;

static int wrong(const Parser *parser, const char *what)
{
    return message_fail(parser->message, parser->size, "%s: %s", parser->path, what);
}

static void skip_space(Parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\n' || *parser->at == '\r')
        parser->at++;
}

/* Takes `mark` if it comes next, blanks before it left out. */
static int take(Parser *parser, char mark)
{
    skip_space(parser);
    if (*parser->at != mark)
        return 0;
    parser->at++;
    return 1;
}

static int take_word(Parser *parser, const char *word)
{
    skip_space(parser);
    size_t length = strlen(word);
    if (strncmp(parser->at, word, length) != 0)
        return 0;
    parser->at += length;
    return 1;
}

/* A quoted string without escapes, which numpy's keys and type names never need. */
static int take_string(Parser *parser, char *out, size_t size)
{
    skip_space(parser);
    char quote = *parser->at;
    size_t length = 0;

    if (quote != '\'' && quote != '"')
        return 0;
    for (parser->at++; *parser->at && *parser->at != quote && *parser->at != '\\'; parser->at++) {
        if (length + 1 >= size)
            return 0;
        out[length++] = *parser->at;
    }
    out[length] = 0;
    return take(parser, quote);
}

static int parse_descr(Parser *parser, NpyReader *reader)
{
    char descr[32];

    if (take(parser, '['))
        return wrong(parser, "its elements are records; save a plain array with .astype('<f4')");
    if (!take_string(parser, descr, sizeof descr))
        return wrong(parser, "is damaged: its header's descr is no string");
    if (strcmp(descr, "<f4") == 0)
        reader->element_bytes = 4;
    else if (strcmp(descr, "<f8") == 0)
        reader->element_bytes = 8;
    else
        return message_fail(
            parser->message, parser->size,
            "%s: its elements are of type %s; float32 or float64 is wanted: save it with "
            ".astype('<f4')",
            parser->path, descr);
    return 0;
}

static int parse_order(Parser *parser)
{
    if (take_word(parser, "False"))
        return 0;
    if (take_word(parser, "True"))
        return wrong(parser, "is stored in Fortran order; save it with numpy.ascontiguousarray(a)");
    return wrong(parser, "is damaged: its header's fortran_order is neither True nor False");
}

static int parse_shape(Parser *parser, NpyReader *reader)
{
    if (!take(parser, '('))
        return wrong(parser, "is damaged: its header has no shape");
    for (reader->rank = 0; !take(parser, ')'); reader->rank++) {
        int64_t number = 0;
        if (reader->rank == NPY_MAX_RANK)
            return wrong(parser, "has more than 8 dimensions");
        skip_space(parser);
        if (*parser->at < '0' || *parser->at > '9')
            return wrong(parser, "is damaged: its shape is no list of numbers");
        for (; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
            if (number > INT64_MAX / 10 - 1)
                return wrong(parser, "its shape is larger than any memory");
            number = number * 10 + (*parser->at - '0');
        }
        if (*parser->at == 'L')
            parser->at++; /* Python 2 wrote long integers so */
        reader->shape[reader->rank] = number;
        skip_space(parser);
        if (!take(parser, ',') && *parser->at != ')')
            return wrong(parser, "is damaged: its shape is no list of numbers");
    }
    return 0;
}

static int count_elements(const Parser *parser, NpyReader *reader)
{
    size_t count = 1;
    for (int i = 0; i < reader->rank; i++) {
        uint64_t factor = (uint64_t)reader->shape[i];
        if (factor != 0 && count > (size_t)INT64_MAX / 8 / factor)
            return wrong(parser, "its shape is larger than any memory");
        count *= (size_t)factor;
    }
    reader->count = reader->left = count;
    return 0;
}

static int parse_header(Parser *parser, NpyReader *reader)
{
    int have_descr = 0, have_order = 0, have_shape = 0, failed = 0;
    char key[32];

    if (!take(parser, '{'))
        return wrong(parser, "is damaged: its header is no Python dict");
    while (!failed && !take(parser, '}')) {
        if (!take_string(parser, key, sizeof key) || !take(parser, ':'))
            return wrong(parser, "is damaged: its header is no Python dict");
        if (strcmp(key, "descr") == 0 && !have_descr++)
            failed = parse_descr(parser, reader);
        else if (strcmp(key, "fortran_order") == 0 && !have_order++)
            failed = parse_order(parser);
        else if (strcmp(key, "shape") == 0 && !have_shape++)
            failed = parse_shape(parser, reader);
        else
            return wrong(parser,
                         "is damaged: its header has a key that is unknown or stands twice");
        skip_space(parser);
        if (!failed && !take(parser, ',') && *parser->at != '}')
            return wrong(parser, "is damaged: its header is no Python dict");
    }
    if (failed)
        return -1;
    if (!have_descr || !have_order || !have_shape)
        return wrong(parser, "is damaged: its header lacks descr, fortran_order or shape");
    skip_space(parser);
    if (*parser->at)
        return wrong(parser, "is damaged: something follows its header's dict");
    return count_elements(parser, reader);
}

/* Reads the header's text, ended by a 0 byte, into a new block; NULL with the message. *bytes: of
   everything before the elements. */
static char *read_header(const Parser *parser, FILE *stream, size_t *bytes)
{
    unsigned char start[12];
    size_t got = fread(start, 1, 8, stream), length;

    if (got < sizeof magic || memcmp(start, magic, sizeof magic) != 0) {
        wrong(parser, "is no .npy file");
        return NULL;
    }
    int width = got == 8 && start[6] == 1 ? 2 : 4;
    if (got < 8 || start[6] < 1 || start[6] > 3) {
        wrong(parser, got < 8 ? "is cut short" : "is of a .npy version other than 1, 2 and 3");
        return NULL;
    }
    if (fread(start + 8, 1, (size_t)width, stream) != (size_t)width) {
        wrong(parser, "is cut short");
        return NULL;
    }
    length = (size_t)start[8] | (size_t)start[9] << 8;
    if (width == 4)
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    char *text = length <= HEADER_LIMIT ? malloc(length + 1) : NULL;
    if (!text || fread(text, 1, length, stream) != length) {
        wrong(parser,
              length > HEADER_LIMIT ? "is damaged: its header is too long" : "is cut short");
        free(text);
        return NULL;
    }
    text[length] = 0;
    *bytes = 8 + (size_t)width + length;
    /* a 0 byte inside: no dict, and the parser says so */
    if (strlen(text) != length)
        text[0] = 0;
    return text;
}

static int check_length(const Parser *parser, const NpyReader *reader, size_t header_bytes)
{
    struct stat status;
    uint64_t wanted = (uint64_t)header_bytes
                      + (uint64_t)reader->count * (uint64_t)reader->element_bytes;

    if (fstat(fileno(reader->stream), &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    if ((uint64_t)status.st_size == wanted)
        return 0;
    return message_fail(parser->message, parser->size,
                        "%s: has %lld bytes where its header asks for %llu; it is %s", parser->path,
                        (long long)status.st_size, (unsigned long long)wanted,
                        (uint64_t)status.st_size < wanted ? "cut short"
                                                          : "followed by something else");
}

int npy_open(NpyReader *reader, const char *path, char *message, size_t size, int *io)
{
    Parser parser = { .path = path, .message = message, .size = size };
    struct stat status;
    size_t header_bytes = 0;

    *reader = (NpyReader){ .path = path };
    *io = 1;
    int fd = input_file_open(path, &status, message, size);
    if (fd < 0)
        return -1;
    reader->stream = fdopen(fd, "rb");
    if (!reader->stream) {
        close(fd);
        return message_fail(message, size, "%s: out of memory", path);
    }
    *io = 0;

    char *text = read_header(&parser, reader->stream, &header_bytes);
    parser.at = text;
    int result = text ? parse_header(&parser, reader) : -1;
    if (result == 0)
        result = check_length(&parser, reader, header_bytes);
    free(text);
    if (result != 0)
        npy_close(reader);
    return result;
}

static double little_value(const unsigned char *bytes, int width)
{
    uint64_t bits = 0;
    double as_double;
    float as_float;

    for (int i = width - 1; i >= 0; i--)
        bits = bits << 8 | bytes[i];
    if (width == 4) {
        uint32_t half = (uint32_t)bits;
        memcpy(&as_float, &half, sizeof as_float);
        return as_float;
    }
    memcpy(&as_double, &bits, sizeof as_double);
    return as_double;
}

int npy_next(NpyReader *reader, double *out, size_t count, char *message, size_t size, int *io)
{
    unsigned char buffer[8 * 512];
    size_t width = (size_t)reader->element_bytes;

    for (size_t done = 0; done < count;) {
        size_t n = count - done < 512 ? count - done : 512;
        if (n > reader->left || fread(buffer, width, n, reader->stream) != n) {
            *io = reader->stream && ferror(reader->stream);
            return message_fail(message, size, "%s: %s", reader->path,
                                *io ? "cannot be read to its end" : "is cut short");
        }
        for (size_t i = 0; i < n; i++)
            out[done + i] = little_value(buffer + i * width, (int)width);
        done += n;
        reader->left -= n;
    }
    return 0;
}

void npy_close(NpyReader *reader)
{
    if (reader->stream)
        fclose(reader->stream);
    reader->stream = NULL;
}

/* Writes magic, version, length and text: always WRITTEN_HEADER bytes (a multiple of 64, as numpy
   likes it), so that a header with another first number takes the same place. */
static void write_header(NpyWriter *writer)
{
    char header[WRITTEN_HEADER + 1];
    int length = WRITTEN_HEADER - 10, at = 10;

    memcpy(header, magic, sizeof magic);
    header[6] = 1;
    header[7] = 0;
    header[8] = (char)(length & 255);
    header[9] = (char)(length >> 8);
    at += snprintf(header + at, sizeof header - (size_t)at,
                   "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < writer->rank; i++)
        at += snprintf(header + at, sizeof header - (size_t)at, "%lld%s",
                       (long long)writer->shape[i],
                       writer->rank == 1      ? ","
                       : i + 1 < writer->rank ? ", "
                                              : "");
    at += snprintf(header + at, sizeof header - (size_t)at, "), }");
    memset(header + at, ' ', (size_t)(WRITTEN_HEADER - at));
    header[WRITTEN_HEADER - 1] = '\n';
    fwrite(header, 1, WRITTEN_HEADER, writer->file.stream);
}

int npy_create(NpyWriter *writer, const char *path, int rank, const int64_t *shape, char *message,
               size_t size)
{
    *writer = (NpyWriter){ .rank = rank };
    for (int i = 0; i < rank; i++)
        writer->shape[i] = shape[i];
    if (whole_file_open(&writer->file, path, message, size) != 0)
        return -1;
    write_header(writer);
    return 0;
}

void npy_append(NpyWriter *writer, const float *values, size_t count)
{
    unsigned char buffer[4 * 512];

    for (size_t done = 0; done < count;) {
        size_t n = count - done < 512 ? count - done : 512;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &values[done + i], sizeof bits);
            for (int b = 0; b < 4; b++)
                buffer[4 * i + (size_t)b] = (unsigned char)(bits >> 8 * b);
        }
        fwrite(buffer, 4, n, writer->file.stream);
        done += n;
    }
}

int npy_commit(NpyWriter *writer, int64_t first, char *message, size_t size)
{
    if (writer->rank > 0 && first != writer->shape[0]) {
        writer->shape[0] = first;
        if (fseek(writer->file.stream, 0, SEEK_SET) != 0) {
            message_fail(
                message, size,
                "%s: cannot be written: its length was not known in time; write to a plain file",
                writer->file.path);
            npy_abandon(writer);
            return -1;
        }
        write_header(writer);
    }
    return whole_file_commit(&writer->file, message, size);
}

void npy_abandon(NpyWriter *writer)
{
    whole_file_abandon(&writer->file);
}
