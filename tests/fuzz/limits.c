#include "limits.h"

#include "cases.h"
#include "files.h"
#include "process.h"
#include "rng.h"

#include <stdlib.h>
#include <string.h>

/* The number after these words in what caec says about a limit. */
static size_t said(const char *folder, const char *options, const char *limit, const char *words)
{
    Result result = run_caec(folder, "net.lua %s --memory-limit %s --stop-after plan", options,
                             limit);
    const char *at = strstr(result.err, words) ? strstr(result.err, words)
                                               : strstr(result.out, words);
    if (!at)
        fail_msg("caec net.lua %s --memory-limit %s does not say '%s', but: %s%s", options, limit,
                 words, result.out, result.err);
    size_t bytes = strtoull(at + strlen(words), NULL, 10);
    result_free(&result);
    return bytes;
}

size_t draw_limit(const char *graph, const char *options, uint64_t *state)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, graph, strlen(graph));
    size_t limit = said(folder, options, "1", "the smallest limit that works is ");
    if (rng_chance(state, 40))
        limit += (said(folder, options, "1000G", "training takes ") - limit) / 2;
    free(path);
    folder_remove(folder);
    return limit;
}
