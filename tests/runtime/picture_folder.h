/* picture_folder.h - what the tests of datasets share: a folder of small grey pictures. */
#ifndef TEST_PICTURE_FOLDER_H
#define TEST_PICTURE_FOLDER_H

#include "data/dataset.h"

enum { SIDE = 6, BYTES = SIDE * SIDE * 3 };
extern char folder[256], last_warning[1000];
extern int warnings; /* how many came */
extern const DatasetOptions plain;

void warn(const char *text);

/* Before and after each test. */
int make_folder(void **state);
int remove_folder(void **state);

/* The path of a name in the folder, until the next call. */
const char *below(const char *name);

/* A picture of one grey value; any bytes; a picture whose head is right and whose pixels are cut
   off; 000.png, 001.png, ..., each of its own number. */
void add_picture(const char *name, int value);
void add_bytes(const char *name, const void *bytes, size_t n);
void add_truncated(const char *name);
void add_numbered(int count);

Dataset *open_folder(const DatasetOptions *options);

#endif
