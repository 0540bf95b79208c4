/* command_reconstruct.c - the command reconstruct of commands_infer.h. */
#include "commands_infer.h"

#include "images/pixels.h"
#include "images/report.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct Sheet {
    size_t bytes; /* of one picture */
    uint8_t *originals, *reconstructions;
    size_t count;
} Sheet;

static int take_pair(void *context, size_t picture, const uint8_t *pixels, const real *output,
                     Error *error)
{
    Sheet *sheet = context;
    (void)picture, (void)error;
    memcpy(sheet->originals + sheet->count * sheet->bytes, pixels, sheet->bytes);
    pixels_from_reals(output, sheet->bytes, sheet->reconstructions + sheet->count * sheet->bytes);
    sheet->count++;
    return 0;
}

static int write_pairs(const Sheet *sheet, const ModelShape *shape, const char *path, Error *error)
{
    size_t columns = sheet->count < SHEET_COLUMNS ? sheet->count : SHEET_COLUMNS;
    size_t rows = 2 * ((sheet->count + columns - 1) / columns);
    const uint8_t **cells = memory_block(rows * columns * sizeof *cells, error);
    if (!cells)
        return -1;

    for (size_t i = 0; i < sheet->count; i++) {
        size_t above = i / columns * 2 * columns + i % columns;
        cells[above] = sheet->originals + i * sheet->bytes;
        cells[above + columns] = sheet->reconstructions + i * sheet->bytes;
    }
    int result = report_sheet(path, cells, (int)columns, (int)rows, shape->dim[0], shape->dim[1],
                              shape->dim[2], error);
    free(cells);
    return result;
}

int command_reconstruct(Infer *infer, const InferOptions *options, Error *error)
{
    Sheet sheet = { .bytes = infer_count(&infer->model->input) };
    InferPaths list;

    if (command_check_png_name(options->output, error) != 0
        || infer_paths_open(&list, infer->model, options->arguments, options->count, command_warn,
                            error)
               != 0)
        return -1;
    sheet.originals = memory_block(list.count * sheet.bytes, error);
    sheet.reconstructions = sheet.originals ? memory_block(list.count * sheet.bytes, error) : NULL;
    int result = sheet.reconstructions
                     ? infer_files(infer, &list, INFER_OUTPUT, take_pair, &sheet, error)
                     : -1;
    if (result == 0)
        result = write_pairs(&sheet, &infer->model->input, options->output, error);
    free(sheet.originals);
    free(sheet.reconstructions);
    infer_paths_close(&list);
    return result;
}
