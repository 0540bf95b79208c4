#define _POSIX_C_SOURCE 200809L
#include "process.h"

#include "cases.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORDS = 256, CPU_SECONDS = 60, SECONDS = 500, HANDLES = 1024 };

static char *whole(FILE *f, size_t *length)
{
    fseek(f, 0, SEEK_END);
    *length = (size_t)ftell(f);
    rewind(f);
    char *text = calloc(1, *length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *length, f), *length);
    fclose(f);
    return text;
}

static int made, ended[256];

int runs_made(void)
{
    return made;
}

int runs_ended(int exit_code)
{
    return ended[exit_code];
}

Result run_words(const char *folder, const char *const *words)
{
    FILE *out = tmpfile(), *err = tmpfile();
    assert_non_null(out);
    assert_non_null(err);
    int started[2]; /* closed by a good exec; else says that there was none */
    assert_int_equal(pipe(started), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "r", stdin) && dup2(fileno(out), 1) >= 0
            && dup2(fileno(err), 2) >= 0 && (!folder || chdir(folder) == 0)) {
            for (int handle = 3; handle < HANDLES; handle++)
                (void)fcntl(handle, F_SETFD, FD_CLOEXEC);
            setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_SECONDS, CPU_SECONDS });
            alarm(SECONDS);
            execvp(words[0], (char *const *)words);
        }
        _exit(write(started[1], "!", 1) == 1 ? 127 : 126);
    }
    close(started[1]);
    char failed = 0;
    if (read(started[0], &failed, 1) != 1)
        failed = 0;
    close(started[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    Result result = { .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                      .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0 };
    result.out = whole(out, &result.out_length);
    result.err = whole(err, &result.err_length);
    if (failed)
        fail_msg("cannot run %s", words[0]);
    made++;
    if (result.exit_code >= 0)
        ended[result.exit_code]++;
    return result;
}

static Result run_text(const char *folder, const char *first, char *text)
{
    const char *words[MAX_WORDS];
    int count = 0;
    if (first)
        words[count++] = first;
    char *rest = NULL;
    for (char *p = strtok_r(text, " ", &rest); p; p = strtok_r(NULL, " ", &rest)) {
        assert_true(count < MAX_WORDS - 1);
        words[count++] = p;
    }
    words[count] = NULL;
    Result result = run_words(folder, words);
    free(text);
    return result;
}

Result run(const char *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    return run_text(folder, NULL, text);
}

Result run_caec(const char *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args);
    va_end(args);
    return run_text(folder, caec_binary(), text);
}

void result_free(Result *result)
{
    free(result->out);
    free(result->err);
    *result = (Result){ 0 };
}

void want_exit(const Result *result, int exit_code)
{
    if (result->signal)
        fail_msg("ended by signal %d: %.2000s", result->signal, result->err);
    if (result->exit_code != exit_code)
        fail_msg("exit code %d instead of %d: %.2000s%.2000s", result->exit_code, exit_code,
                 result->out, result->err);
}
