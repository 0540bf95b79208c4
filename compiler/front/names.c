#include "names.h"

#include "../base/arena.h"
#include "../ir/check.h"

#include <ctype.h>
#include <string.h>

static bool in_list(const char *list, const char *name)
{
    return strstr(list, arena_format(" %s ", name)) != NULL;
}

void check_name(Loc loc, const char *what, const char *name)
{
    static const char keywords[] =
        " auto break case char const continue default do double else enum extern float for goto if "
        "inline int long register restrict return "
        "short signed sizeof static struct switch typedef union unsigned void volatile while main ";
    bool ok = name && *name && !isdigit((unsigned char)*name) && strlen(name) <= 40;
    for (const char *p = name; ok && *p; p++)
        ok = isalnum((unsigned char)*p) || *p == '_';
    if (!ok)
        fail(
            loc,
            "%s: a name of letters, digits and _ that does not start with a digit, at most 40 long",
            what);
    if (in_list(keywords, name))
        fail(loc, "%s: '%s' is a word of C; choose another name", what, name);
}

/* In the emitted C, in its CMakeLists.txt and in runtime.cmake. */
static const char reserved[] =
    " model caec_model caec_runtime loss input train infer encode decode prepare runtime install "
    "all clean test help package m "
    "edit_cache rebuild_cache list_install_components ";

/* Headers that the emitted folder's own <name>.h would hide from whoever includes it by -I: those
   of C, of POSIX, those that they include in turn, and those of the libraries that the runtime
   uses. */
static const char headers[] =
    " assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbit stdbool stdckdint stddef "
    "stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype "
    "aio cpio devctl dirent dlfcn endian fcntl fmtmsg fnmatch ftw glob grp iconv langinfo libgen "
    "libintl monetary mqueue ndbm netdb nl_types poll pthread "
    "pwd regex sched search semaphore spawn strings stropts syslog tar termios trace ulimit unistd "
    "utime utmpx wordexp "
    "alloca argp features getopt malloc memory paths syslimits xlocale "
    "cblas jansson jansson_config jconfig jerror jmorecfg jpeglib omp openblas_config png pngconf "
    "pnglibconf zconf zlib ";

static bool is_header(const char *name)
{
    /* some systems do not tell names of files apart by case */
    char *lower = ARENA_ARRAY(char, strlen(name) + 1);
    for (size_t i = 0; i <= strlen(name); i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    return in_list(headers, lower);
}

void check_model_name(const Graph *graph)
{
    const char *name = graph->name;
    if (in_list(reserved, name))
        fail(graph->loc,
             "autoencoder: the name \"%s\" means something else in the emitted C and its build; "
             "choose another",
             name);
    if (is_header(name))
        fail(graph->loc,
             "autoencoder: the name \"%s\" would make a %s.h that hides the header <%s.h>; choose "
             "another",
             name, name, name);
    if (strncmp(name, "stage", 5) == 0 && name[5] && name[5 + strspn(name + 5, "0123456789")] == 0)
        fail(graph->loc,
             "autoencoder: the name \"%s\" is that of a stage of training in the emitted C; choose "
             "another",
             name);
    for (int i = 0; i < graph->layer_count; i++)
        if (names_clash(name, graph->layers[i].name))
            fail(graph->loc,
                 "autoencoder: the name \"%s\" is that of the layer %s in C; choose another", name,
                 graph->layers[i].name);
}
