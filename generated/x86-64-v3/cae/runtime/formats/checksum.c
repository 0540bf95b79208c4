#include "checksum.h"

#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t checksum_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Inside a string of JSON the quotes would have backslashes, so nothing else looks like it. */
char *checksum_place(char *header, size_t n)
{
    const char *start = "\"" SAFETENSORS_CHECKSUM "\":\"";
    size_t length = strlen(start);
    for (size_t i = 0; i + length + CHECKSUM_DIGITS < n; i++)
        if (memcmp(header + i, start, length) == 0)
            return header + i + length;
    return NULL;
}

void checksum_text(uint64_t hash, char *text)
{
    snprintf(text, CHECKSUM_DIGITS + 1, "%016" PRIx64, hash);
}
