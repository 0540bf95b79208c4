/* checksum.h - the checksum that a safetensors file carries of itself, see SAFETENSORS_CHECKSUM:
   what its reader and its writer share. */
#ifndef CAEC_CHECKSUM_H
#define CAEC_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_ZEROS "0000000000000000"
enum { CHECKSUM_DIGITS = sizeof CHECKSUM_ZEROS - 1 };
#define CHECKSUM_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a of n more bytes. */
uint64_t checksum_bytes(uint64_t hash, const void *bytes, size_t n);

/* Where the digits stand in a header as safetensors_write makes it; NULL: nowhere. */
char *checksum_place(char *header, size_t n);

/* As it is written: text[CHECKSUM_DIGITS + 1]. */
void checksum_text(uint64_t hash, char *text);

#endif
