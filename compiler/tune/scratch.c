#define _POSIX_C_SOURCE 200809L
#include "scratch.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/signals.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that a process which is no more left in the folder for temporary files, our user's
   alone. */
static void sweep(const char *base)
{
    DIR *list = opendir(base);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        long pid;
        struct stat status;
        const char *path = arena_format("%s/%s", base, entry->d_name);
        if (sscanf(entry->d_name, "caec-tune-%ld-", &pid) == 1 && pid > 0
            && kill((pid_t)pid, 0) != 0 && errno == ESRCH && lstat(path, &status) == 0
            && S_ISDIR(status.st_mode) && status.st_uid == geteuid())
            signals_remove(path);
    }
    if (list)
        closedir(list);
}

const char *scratch_folder(void)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *folder = (char *)arena_format("%s/caec-tune-%ld-XXXXXX", base, (long)getpid());
    if (strchr(base, '\'') || !mkdtemp(folder))
        fail_with(EXIT_FILE, "--tune: cannot make a temporary folder in %s", base);
    signals_temporary(folder);
    sweep(base);
    return folder;
}

bool scratch_run(const char *command)
{
    int status = -1;
    fflush(NULL);
    signals_hold();
    const pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        signals_release();
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (pid > 0) {
        setpgid(pid, pid);
        signals_child(pid);
    }
    signals_release();
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    signals_child(0);
    return pid > 0 && status == 0;
}
