/* libgomp asks dlopen for plug-ins of accelerators. A static program has none, and the linker warns
   of every dlopen in one: runtime.cmake has references go here instead (--wrap). */
#include <stddef.h>

void *__wrap_dlopen(const char *file, int mode); /* the name that the linker gives */

void *__wrap_dlopen(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}
