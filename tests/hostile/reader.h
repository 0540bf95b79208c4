/* reader.h - one reader of files under attack: what libFuzzer, AFL++ and replay.c call with the
 * bytes of a file.
 *
 * Each read_<name>.c defines reader_take: it gives the bytes to the reader as a file, uses all that
 * comes back, and ends the program by abort() where something that must hold does not. Memory and
 * undefined behaviour are for the sanitizers to watch. */
#ifndef HOSTILE_READER_H
#define HOSTILE_READER_H

#include <stddef.h>
#include <stdint.h>

void reader_take(const uint8_t *bytes, size_t size);

/* The path of a plain file that holds these bytes until the next call. Its descriptor and its path
   stay the same. */
const char *reader_file(const uint8_t *bytes, size_t size);

/* Ends the program where a refusal is not one line that names the file. */
void reader_check_message(const char *message, const char *path);

/* How many refusals there have been; reader_check_message counts. */
extern int reader_refusals;

/* Says what does not hold and ends the program. */
_Noreturn void reader_broken(const char *what);

#endif
