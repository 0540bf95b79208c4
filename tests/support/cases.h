/* cases.h - what every test of the compiler includes: CMocka, and the places of the programs under
   test. */
#ifndef TEST_CASES_H
#define TEST_CASES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

/* The compiler: the environment's CAEC, or the one built beside the tests. */
const char *caec_binary(void);

/* One built with the other Lua: the environment's CAEC_OTHER, or NULL. */
const char *caec_other(void);

/* The C compiler, the folder of the runtime's sources, and the project's folder. */
const char *c_compiler(void);
const char *runtime_folder(void);
const char *project_folder(void);

/* A formatted string, to be freed; fails the test without memory. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_of_arguments(const char *format, va_list args);

#endif
