/* container.h on /proc and /sys/fs/cgroup laid out in a folder: version 1, version 2, both, nested
   groups, names of the host's. */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "container.h"
#include "memory.h"
#include "threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB(n) ((n)*1048576LL)
#define NO_LIMIT "9223372036854771712\n" /* of version 1 */

static char root[200];

static int new_root(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(root, sizeof root, "%s/caec-container-XXXXXX", base ? base : "/tmp");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file below the root, with its folders. */
static void put(const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *p = path + strlen(root) + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0777);
            *p = '/';
        }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The three files of a group of version 2, or of version 1, in MiB; limit NULL: there is none. */
static void put_memory(const char *folder, int version, const char *limit, int used, int inactive)
{
    static const char *const names[2][2] = { { "memory.limit_in_bytes", "memory.usage_in_bytes" },
                                             { "memory.max", "memory.current" } };
    char name[300], text[300];
    snprintf(name, sizeof name, "sys/fs/cgroup/%s/%s", folder, names[version - 1][0]);
    put(name, limit);
    snprintf(name, sizeof name, "sys/fs/cgroup/%s/%s", folder, names[version - 1][1]);
    snprintf(text, sizeof text, "%lld\n", MIB(used));
    put(name, text);
    snprintf(name, sizeof name, "sys/fs/cgroup/%s/memory.stat", folder);
    snprintf(text, sizeof text, "anon 4096\nfile 123\ninactive_anon 77\n%s %lld\nactive_file 55\n",
             version == 1 ? "inactive_file 1\ntotal_inactive_file" : "inactive_file",
             MIB(inactive));
    put(name, text);
}

static void want_memory(long long left)
{
    assert_true(container_memory_left(root) == left);
}

static void without_groups(void **state)
{
    (void)state;
    want_memory(-1);
    assert_int_equal(memory_available_below(root), 0);
    put("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 100 kB\nMemAvailable:    3000 kB\n");
    assert_int_equal(memory_available_below(root), 3000 * 1024);
    assert_true(container_processors(root) == 0);
    assert_int_equal(threads_within_quota(8, root), 8);
    /* no /proc/self/cgroup: what is mounted */
    put_memory(".", 2, "2097152\n", 1, 0);
    assert_int_equal(memory_available_below(root), MIB(1));
}

/* The cache of files counts as used, and is free all the same. */
static void version_2(void **state)
{
    (void)state;
    put("proc/meminfo", "MemAvailable:    4194304 kB\n");
    put("proc/self/cgroup", "0::/\n");
    put_memory(".", 2, "1048576000\n", 990, 600); /* 1000 MiB */
    assert_int_equal(memory_available_below(root), MIB(610));
    put_memory(".", 2, "1048576000\n", 100, 600); /* the two are not read at one time */
    assert_int_equal(memory_available_below(root), MIB(1000));
    put_memory(".", 2, "max\n", 990, 600);
    want_memory(-1);
    assert_int_equal(memory_available_below(root), MIB(4096));
    put_memory(".", 2, "104857600\n", 101, 0); /* none left is not unknown */
    want_memory(0);
    assert_int_equal(memory_available_below(root), 1);
}

static void nested_groups(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/pod/one/two\n");
    put_memory("pod/one/two", 2, "max\n", 30, 10);
    put_memory("pod/one", 2, "104857600\n", 70, 20); /* 50 left */
    put_memory("pod", 2, "209715200\n", 190, 30);    /* 40 left: others use it too */
    want_memory(MIB(40));
    put_memory("pod", 2, "max\n", 190, 30);
    want_memory(MIB(50));
    put_memory("pod/one/two", 2, "62914560\n", 55, 10); /* 15 left */
    want_memory(MIB(15));
}

static void version_1(void **state)
{
    (void)state;
    put("proc/self/cgroup",
        "12:cpu,cpuacct:/jobs/7\n9:name=systemd:/x\n4:memory:/jobs/7\n3:cpuset:/\n");
    put_memory("memory", 1, NO_LIMIT, 3000, 0);
    put_memory("memory/jobs", 1, "1073741824\n", 1000, 500);
    put_memory("memory/jobs/7", 1, NO_LIMIT, 600, 100);
    want_memory(MIB(524));
    put_memory("memory/jobs/7", 1, "536870912\n", 500, 100);
    want_memory(MIB(112));
    put("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_period_us", "100000\n");
    assert_true(container_processors(root) == 0);
    put("sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "250000\n");
    put("sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000\n");
    assert_true(container_processors(root) == 2.5);
}

/* Version 1 with version 2 beside it, which has no controllers then. */
static void both_versions(void **state)
{
    (void)state;
    put("proc/self/cgroup", "1:cpu:/\n2:memory:/a\n0::/user.slice/b\n");
    put("sys/fs/cgroup/unified/user.slice/b/cgroup.procs", "1\n");
    put_memory("memory/a", 1, "104857600\n", 60, 5);
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    want_memory(MIB(45));
    assert_true(container_processors(root) == 1);
}

/* A container that sees its group's name but not its place, or lies outside its own root. */
static void names_of_the_host(void **state)
{
    static const char *const names[] = { "0::/docker/0123abcd\n", "0::/../../other\n",
                                         "3:memory:/docker/0123abcd\n" };
    (void)state;
    put_memory(".", 2, "104857600\n", 60, 5);
    put_memory("memory", 1, "104857600\n", 60, 5);
    for (int i = 0; i < 3; i++) {
        put("proc/self/cgroup", names[i]);
        want_memory(MIB(45));
    }
    char *longer = malloc(20000);
    assert_non_null(longer);
    memset(longer, 'x', 20000);
    memcpy(longer, "0::/", 4);
    longer[19999] = '\0';
    put("proc/self/cgroup", longer);
    want_memory(MIB(45));
    free(longer);
}

static void want_threads(const char *quota, int of_8, int of_1)
{
    put("sys/fs/cgroup/a/cpu.max", quota);
    assert_int_equal(threads_within_quota(8, root), of_8);
    assert_int_equal(threads_within_quota(1, root), of_1);
}

static void threads_by_quota(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/a/b\n");
    want_threads("max 100000\n", 8, 1);
    want_threads("400000 100000\n", 4, 1);
    want_threads("150000 100000\n", 2, 1); /* one would leave a third unused */
    want_threads("20000 100000\n", 1, 1);
    want_threads("6400000 100000\n", 8, 1);
    put("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
    want_threads("400000 100000\n", 3, 1);
    assert_true(threads_default() >= 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, new_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(without_groups),  CASE(version_2),
                                        CASE(nested_groups),   CASE(version_1),
                                        CASE(both_versions),   CASE(names_of_the_host),
                                        CASE(threads_by_quota) };
    return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
