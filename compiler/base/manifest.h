/* manifest.h - the list of the files that caec wrote into a folder, each with the hash of its
   bytes. What it does not list, or lists with other bytes, is somebody else's. */
#ifndef CAEC_MANIFEST_H
#define CAEC_MANIFEST_H

#include "text.h"

#include <stdbool.h>

#define MANIFEST_FILE "caec.manifest"

typedef struct ManifestLine {
    const char *name; /* below the folder, with slashes */
    const char *hash; /* text_fingerprint() */
} ManifestLine;

/* A name may stand there several times: any of those contents is ours then. */
typedef struct Manifest {
    ManifestLine *lines; /* sorted by their names, then hashes */
    int count;
} Manifest;

/* False where the text is no manifest, or one that names anything but plain files inside the
 * folder. */
bool manifest_read(Manifest *manifest, const Text *text);

bool manifest_lists(const Manifest *manifest, const char *name, const char *hash);
bool manifest_names(const Manifest *manifest, const char *name); /* with any hash */

/* Sorts the lines, leaves out what stands there twice, and gives the text. */
Text manifest_text(Manifest *manifest);

#endif
