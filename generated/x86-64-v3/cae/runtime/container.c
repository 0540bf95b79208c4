#define _POSIX_C_SOURCE 200809L /* getline */
#include "container.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096 };
/* version 1 writes a number for it, the largest that makes whole pages */
static const long long no_limit = 1LL << 62;

long long container_number(const char *path, const char *key)
{
    long long number = -1;
    char line[256], *end;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        long long found = strtoll(line + strlen(key), &end, 10);
        if (end != line + strlen(key) && found >= 0 && found < no_limit)
            number = found;
        break;
    }
    fclose(file);
    return number;
}

/* The number in a file of a group's folder. */
static long long number_in(const char *folder, const char *name, const char *key)
{
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return container_number(path, key);
}

/* What a group's folder says, taken into the least of all. */
typedef void (*Look)(const char *folder, double *least);

static void take_least(double *least, double value)
{
    if (*least < 0 || value < *least)
        *least = value;
}

static void look_for_memory(const char *folder, double *least)
{
    static const struct Names {
        const char *limit, *used, *inactive;
    } versions[] = {
        { "memory.max", "memory.current", "inactive_file " },
        { "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file " },
    };
    for (int i = 0; i < 2; i++) {
        long long limit = number_in(folder, versions[i].limit, ""),
                  used = number_in(folder, versions[i].used, "");
        long long inactive = number_in(folder, "memory.stat", versions[i].inactive);
        if (limit < 0)
            continue;
        used -= inactive > 0 ? inactive : 0;
        take_least(least, used <= 0 ? (double)limit : used < limit ? (double)(limit - used) : 0);
    }
}

static void look_for_time(const char *folder, double *least)
{
    char path[PATH_SIZE + 64];
    double quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
            take_least(least, quota / period);
        fclose(file);
    }
    long long old_quota = number_in(folder, "cpu.cfs_quota_us", ""),
              old_period = number_in(folder, "cpu.cfs_period_us", "");
    if (old_quota > 0 && old_period > 0)
        take_least(least, (double)old_quota / (double)old_period);
}

/* Looks at the group's folder below the mount, and at those of all its ancestors. */
static void look_up(const char *root, const char *mount, const char *group, Look look,
                    double *least)
{
    char folder[PATH_SIZE], *slash;
    size_t base = (size_t)snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s%s", root,
                                   *mount ? "/" : "", mount);
    if (base >= sizeof folder)
        return;
    if (strcmp(group, "/") != 0 && !strstr(group, "..") && strlen(group) < sizeof folder - base)
        strcpy(folder + base, group);
    look(folder, least);
    while ((slash = strrchr(folder + base, '/'))) {
        *slash = '\0';
        look(folder, least);
    }
}

/* Whether a list, "cpu,cpuacct", has the word. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return true;
    return false;
}

/* One line of /proc/self/cgroup: "0::/group" of version 2, "4:memory:/group" of version 1. */
static void look_at_line(const char *root, char *line, const char *controller, Look look,
                         double *least)
{
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    if (!group)
        return;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    list++;
    if (!*list) {
        look_up(root, "", group, look, least);
        look_up(root, "unified", group, look, least);
    } else if (has_word(list, controller)) {
        look_up(root, list, group, look, least);
        look_up(root, controller, group, look, least);
    }
}

/* The least that `look` finds in the process's groups; -1: nothing. */
static double least_of_groups(const char *root, const char *controller, Look look)
{
    char path[PATH_SIZE], *line = NULL;
    size_t room = 0;
    double least = -1;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    if (!file) {
        look_up(root, "", "/", look, &least);
        return least;
    }
    while (getline(&line, &room, file) > 0)
        look_at_line(root, line, controller, look, &least);
    free(line);
    fclose(file);
    return least;
}

long long container_memory_left(const char *root)
{
    return (long long)least_of_groups(root, "memory", look_for_memory);
}

double container_processors(const char *root)
{
    double least = least_of_groups(root, "cpu", look_for_time);
    return least > 0 ? least : 0;
}
