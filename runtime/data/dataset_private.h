/* dataset_private.h - what the files of the dataset room share. */
#ifndef CAEC_DATASET_PRIVATE_H
#define CAEC_DATASET_PRIVATE_H

#include "dataset.h"

/* A growing list of names. */
typedef struct NameList {
    char **names;           /* each malloc'ed, as is the array */
    size_t count, room;
} NameList;

/* Takes over a malloc'ed name, also where it fails (-1: out of memory). NULL counts as that failure. */
int name_list_add(NameList *list, char *name);
void name_list_free(NameList *list);

/* Collects the relative paths of everything below `folder` that is no folder, in bytewise order: names with a leading dot are left out, links
   are followed, a folder that contains itself through a link is not entered again. A folder within that cannot be read is told by `warn` and left
   out, or is an error where `strict`; `folder` itself not being readable is an error. */
int dataset_scan(NameList *files, const char *folder, int strict, void (*warn)(const char *text), Error *error);

/* Keeps those files of the list whose first bytes and header are those of a JPEG or PNG picture. Another is told by `warn` and left out, or is
   an error where `strict`; *first receives the reason for the first. */
int dataset_sift(NameList *files, const char *folder, int strict, void (*warn)(const char *text), Error *first, Error *error);

/* folder/name, malloc'ed; NULL: out of memory. An empty folder gives the name alone. */
char *dataset_path(const char *folder, const char *name);

#endif
