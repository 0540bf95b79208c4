/* message.h - what is said to the user when a file cannot be read or written. */
#ifndef CAEC_MESSAGE_H
#define CAEC_MESSAGE_H

#include <stddef.h>

/* Writes one line into message[size], printable, and returns -1. */
int message_fail(char *message, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
