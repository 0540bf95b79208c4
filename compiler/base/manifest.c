#include "manifest.h"

#include "arena.h"

#include <stdlib.h>
#include <string.h>

static const char title[] = "caec manifest 1: the files that caec wrote here, after the FNV-1a of "
                            "their bytes. It replaces and removes no others.\n";
enum { HASH_DIGITS = 16 };

static int by_name(const void *a, const void *b)
{
    const ManifestLine *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->hash, y->hash);
}

/* A relative name all of whose parts are names of files, none of them hidden: neither ".." nor
 * anything temporary. */
static bool is_inside(const char *name)
{
    for (const char *part = name;; part++) {
        size_t length = strcspn(part, "/");
        if (length == 0 || *part == '.')
            return false;
        part += length;
        if (!*part)
            return strcmp(name, MANIFEST_FILE) != 0;
    }
}

/* One line without its end. */
static bool read_line(ManifestLine *line, const char *text, size_t length)
{
    if (length < HASH_DIGITS + 2 || strspn(text, "0123456789abcdef") != HASH_DIGITS
        || text[HASH_DIGITS] != ' ')
        return false;
    line->hash = arena_copy(text, HASH_DIGITS);
    line->name = arena_copy(text + HASH_DIGITS + 1, length - HASH_DIGITS - 1);
    return is_inside(line->name);
}

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

bool manifest_read(Manifest *manifest, const Text *text)
{
    *manifest = (Manifest){ 0 };
    if (!text->data || strncmp(text->data, title, strlen(title)) != 0)
        return false;
    const char *p = text->data + strlen(title);
    manifest->lines = ARENA_ARRAY(ManifestLine, count_lines(p) + 1);
    for (; *p; p += strcspn(p, "\n") + 1)
        if (!strchr(p, '\n')
            || !read_line(&manifest->lines[manifest->count++], p, strcspn(p, "\n")))
            return false;
    qsort(manifest->lines, (size_t)manifest->count, sizeof *manifest->lines, by_name);
    return p == text->data + text->length;
}

bool manifest_lists(const Manifest *manifest, const char *name, const char *hash)
{
    const ManifestLine wanted = { name, hash };
    return manifest->count > 0
           && bsearch(&wanted, manifest->lines, (size_t)manifest->count, sizeof wanted, by_name);
}

static int by_name_alone(const void *a, const void *b)
{
    const ManifestLine *x = a, *y = b;
    return strcmp(x->name, y->name);
}

bool manifest_names(const Manifest *manifest, const char *name)
{
    const ManifestLine wanted = { name, "" };
    return manifest->count > 0
           && bsearch(&wanted, manifest->lines, (size_t)manifest->count, sizeof wanted,
                      by_name_alone);
}

Text manifest_text(Manifest *manifest)
{
    Text text = { 0 };
    ManifestLine *lines = manifest->lines;
    qsort(lines, (size_t)manifest->count, sizeof *lines, by_name);
    text_add(&text, "%s", title);
    for (int i = 0; i < manifest->count; i++)
        if (i == 0 || by_name(&lines[i - 1], &lines[i]) != 0)
            text_add(&text, "%s %s\n", lines[i].hash, lines[i].name);
    return text;
}
