/* commands_infer.h - what <name>-infer does with pictures and latents, one function a command.
 *
 * Each returns 0, or -1 with the error filled in; then the output it was asked for does not exist
 * or is what it was. Warnings go to stderr. An IMAGE is a JPEG or PNG file, or a folder that stands
 * for its pictures. */
#ifndef CAEC_COMMANDS_INFER_H
#define CAEC_COMMANDS_INFER_H

#include "error.h"
#include "infer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct InferOptions {
    char **arguments; /* after the command's name */
    int count;
    const char *output; /* -o, NULL: not given */
    const char *csv;    /* --csv, NULL: not given */
    uint64_t seed;
    int steps;
    int neighbours; /* --count */
    bool json;
} InferOptions;

/* summary: prints the layers. It takes no pictures, so `infer` needs only its model. */
int command_summary(Infer *infer, const InferOptions *options, Error *error);

/* encode IMAGE... -o Z.npy: float32 [N] + latent shape, a row a picture in the order given. */
int command_encode(Infer *infer, const InferOptions *options, Error *error);

/* decode Z.npy -o OUT: [N] + latent shape, or one latent alone. OUT.png is the picture, or, where N
   > 1, a sheet of all; any other name is a folder (made where it is missing) that receives
   0000.png, 0001.png, ..., called by their rows. */
int command_decode(Infer *infer, const InferOptions *options, Error *error);

/* For a signal handler that ends the program: removes the pictures of `decode` that wait for the
   others. 1: done, 0: there were none; -1: they are being given their names, which waits for nobody
   and should be let come to its end. */
int command_decode_discard(void);

/* reconstruct IMAGE... -o OUT.png: a sheet of up to SHEET_COLUMNS pictures side by side, each above
   its reconstruction, and so on below. */
int command_reconstruct(Infer *infer, const InferOptions *options, Error *error);

/* interpolate A B | DIR -o OUT.png: one row of `steps` + 2 pictures decoded from (1 - t) a + t b, t
   = i / (steps + 1), where a and b are the latents of the two pictures: t = 0 and t = 1 are their
   reconstructions. From a folder the seed picks two different pictures. */
int command_interpolate(Infer *infer, const InferOptions *options, Error *error);

/* score IMAGE...: prints mean squared error (values 0..1, the network's output as it is, not
   rounded or clamped) and PSNR = 10 log10(1 / mse), at most 200, of each picture, largest error
   first, and the means of both columns. --csv FILE receives path, mse, psnr in the same order;
   characters of a path that are not printable (formats/printable.h) stand there as question
   marks. */
int command_score(Infer *infer, const InferOptions *options, Error *error);

/* nearest IMAGE DIR -o OUT.png: prints the `neighbours` pictures of DIR (all where it has fewer)
   whose latents are nearest to that of IMAGE: Euclidean distance, tab, path; nearest first, equal
   ones by path. IMAGE is a file; where DIR has it too, it counts as any other. OUT.png shows IMAGE
   and then the others in this order, up to SHEET_COLUMNS side by side. --csv FILE receives path and
   distance, once OUT.png is written. Only these pictures are kept in memory. */
int command_nearest(Infer *infer, const InferOptions *options, Error *error);

/* sample N -o OUT.png: N pictures, 1 to MAX_SAMPLES, decoded from numbers of the standard normal
   distribution that the seed draws, the same for a picture however many there are; up to
   SHEET_COLUMNS side by side. Refuses a network whose latent is no gaussian_sample. */
int command_sample(Infer *infer, const InferOptions *options, Error *error);

/* ---- What commands share ---- */

enum { SHEET_COLUMNS = 16, MAX_SAMPLES = 4096 };

/* A line on stderr, made printable. */
void command_warn(const char *text);

/* `before` and a name, made printable, as a line on stdout. */
void command_print_name(const char *before, const char *name);

/* 0, or -1 where the network's decoder cannot run on a latent alone (model->decode is NULL). */
int command_needs_decoder(const Model *model, Error *error);

/* Decodes count latents into a sheet, `columns` side by side; `path` has been checked by
   command_check_png_name. Of the network's outputs only a few are in memory at a time. */
int command_write_decoded(Infer *infer, const real *latents, int count, int columns,
                          const char *path, Error *error);

/* 0, or -1 unless `path` ends in .png: sheets are always PNG, and another ending would mislead
   every program that goes by it. */
int command_check_png_name(const char *path, Error *error);

#endif
