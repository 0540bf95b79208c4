/* sanitized.h - whether this is compiled with a sanitizer, under which a run takes up to twenty
 * times as long: what is done over and over for its results is then done as often as shows every
 * line. */
#ifndef TEST_SANITIZED_H
#define TEST_SANITIZED_H

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#endif
