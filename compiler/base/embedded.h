/* embedded.h - files that caec carries inside itself: the graph language, kernel texts, skeletons,
 * the runtime's sources. The table is made by the build (cmake/embed.cmake). */
#ifndef CAEC_EMBEDDED_H
#define CAEC_EMBEDDED_H

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *name; /* path below compiler/, or "runtime/..." */
    const char *text; /* ended with 0 */
    size_t length;
} EmbeddedFile;

extern const EmbeddedFile embedded_files[]; /* sorted by name, ended by name NULL */

const EmbeddedFile *embedded_find(const char *name); /* bug() where there is none */

/* The template whose path ends in this name; no two have the same file name. */
const EmbeddedFile *embedded_named(const char *name);

#endif
