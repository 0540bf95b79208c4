#include "embedded.h"

#include "diag.h"

#include <string.h>

const EmbeddedFile *embedded_find(const char *name)
{
    for (int i = 0; embedded_files[i].name; i++)
        if (strcmp(embedded_files[i].name, name) == 0)
            return &embedded_files[i];
    bug("no embedded file '%s'", name);
}
