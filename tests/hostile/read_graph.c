/* Graph files, by caec as a whole: compiler/main.c is linked in as caec_main, and runs up to the
 * plan and its memory map. The linker leads its exit() here, which jumps back; what it left is
 * freed. Steps are fewer than in earnest, so that endless loops, which fuzzing finds first, end
 * soon. */
#define _POSIX_C_SOURCE 200809L
#include "base/arena.h"
#include "base/diag.h"
#include "base/lua.h"

#include "reader.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int caec_main(int argc, char **argv);
lua_State *__real_lua_new_limited(const char *file, size_t memory, long steps);
lua_State *__wrap_lua_new_limited(const char *file, size_t memory, long steps);
void __real_lua_close(lua_State *L);
void __wrap_lua_close(lua_State *L);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);

static struct {
    bool inside;
    jmp_buf out;
    lua_State *volatile lua; /* open */
} run;

lua_State *__wrap_lua_new_limited(const char *file, size_t memory, long steps)
{
    (void)steps;
    return run.lua = __real_lua_new_limited(file, memory, 20000);
}

void __wrap_lua_close(lua_State *L)
{
    run.lua = NULL;
    __real_lua_close(L);
}

void __wrap_exit(int code)
{
    if (run.inside)
        longjmp(run.out, 1 + code);
    __real_exit(code);
}

/* Runs caec with stderr and stdout led into these streams. The exit code. */
static int compile(const char *path, FILE *out, FILE *err)
{
    char *words[] = {
        "caec", (char *)path, "--summary", "--memory", "--target", "x86-64-v3", NULL
    };
    FILE *old_out = stdout, *old_err = stderr;
    stdout = out;
    stderr = err;
    run.inside = true;
    int code = setjmp(run.out);
    if (code == 0)
        code = 1 + caec_main(6, words);
    run.inside = false;
    if (run.lua)
        lua_close_limited(run.lua);
    arena_free_all();
    stdout = old_out;
    stderr = old_err;
    return code - 1;
}

static void check(int code, const char *out, const char *err, const char *path)
{
    if (code != EXIT_DONE && code != EXIT_INPUT && code != EXIT_FILE) {
        fputs(err, stderr);
        reader_broken("caec succeeds or refuses");
    }
    if (code == EXIT_DONE && (*err || !*out))
        reader_broken("success is silent and gives output");
    size_t n = strlen(path), first = strcspn(err, "\n");
    bool named = strncmp(err, path, n) == 0 && err[n] == ':' && strstr(err, ": error: ");
    reader_refusals += code == EXIT_INPUT;
    if (code == EXIT_INPUT && !named) {
        fputs(err, stderr);
        reader_broken("a refusal names the file");
    }
    for (size_t i = 0; i < first; i++)
        if (((unsigned char)err[i] < ' ' && err[i] != '\t') || err[i] == 127)
            reader_broken("a refusal is text");
}

void reader_take(const uint8_t *bytes, size_t size)
{
    char *text[2] = { NULL, NULL };
    size_t length[2];
    FILE *out = open_memstream(&text[0], &length[0]), *err = open_memstream(&text[1], &length[1]);
    const char *path = reader_file(bytes, size);
    if (!out || !err)
        reader_broken("memory for the output");
    int code = compile(path, out, err);
    fclose(out);
    fclose(err);
    check(code, text[0], text[1], path);
    free(text[0]);
    free(text[1]);
}
