#include "embedded.h"

#include "diag.h"

#include <stdbool.h>
#include <string.h>

const EmbeddedFile *embedded_find(const char *name)
{
    for (int i = 0; embedded_files[i].name; i++)
        if (strcmp(embedded_files[i].name, name) == 0)
            return &embedded_files[i];
    bug("no embedded file '%s'", name);
}

static bool ends_in(const char *path, const char *name)
{
    size_t n = strlen(path), m = strlen(name);
    return n >= m && strcmp(path + n - m, name) == 0 && (n == m || path[n - m - 1] == '/');
}

const EmbeddedFile *embedded_named(const char *name)
{
    for (int i = 0; embedded_files[i].name; i++)
        if (ends_in(embedded_files[i].name, name))
            return &embedded_files[i];
    bug("no embedded file ends in '%s'", name);
}
