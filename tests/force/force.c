#define _XOPEN_SOURCE 700
#include "force.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void wait_seconds(double seconds)
{
    struct timespec t = { .tv_sec = (time_t)seconds,
                          .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&t, NULL);
}

pid_t start(const char *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of_arguments(format, args), *command = text_of("exec %s", text);
    va_end(args);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(folder) != 0 || !freopen("said", "w", stdout)
            || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
            _exit(127);
        alarm(600);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    free(text);
    free(command);
    return child;
}

int finish(pid_t child, int *signal)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (signal)
        *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void stand_still(pid_t child)
{
    int status;
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
}

bool is_in(const char *folder, const char *path)
{
    char *whole = text_of("%s/%s", folder, path);
    bool there = file_exists(whole);
    free(whole);
    return there;
}

void wait_for(const char *folder, const char *path)
{
    for (double end = now() + WAIT_SECONDS; !is_in(folder, path); wait_seconds(0.001))
        if (now() > end)
            fail_msg("%s/%s does not come", folder, path);
}

char *said(const char *folder)
{
    char *path = text_of("%s/said", folder), *text = file_read(path, NULL);
    free(path);
    return text;
}

bool same_in(const char *folder, const char *a, const char *b)
{
    size_t length_a, length_b;
    char *path_a = text_of("%s/%s", folder, a), *path_b = text_of("%s/%s", folder, b);
    char *bytes_a = file_read(path_a, &length_a), *bytes_b = file_read(path_b, &length_b);
    bool same = length_a == length_b && memcmp(bytes_a, bytes_b, length_a) == 0;
    free(path_a);
    free(path_b);
    free(bytes_a);
    free(bytes_b);
    return same;
}

void want_good_end(const char *folder, const char *out, const char *options)
{
    char *a = text_of("%s/last.safetensors", out), *b = text_of("%s/best.safetensors", out);
    Result result = run(folder, OTHER_TRAIN " --resume --out %s %s", out, options);
    want_exit(&result, 0);
    result_free(&result);
    assert_true(same_in(folder, a, "whole/last.safetensors"));
    assert_true(same_in(folder, b, "whole/best.safetensors"));
    free(a);
    free(b);
}
