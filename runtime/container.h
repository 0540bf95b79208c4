/* container.h - what Linux's control groups leave to this process, of memory and of processors.
 *
 * /proc/self/cgroup names the process's group in each hierarchy: of version 1 one for each
 * controller, of version 2 one for all, or both. Every ancestor of a group binds it too, so the
 * least of all counts. In a container the name may be the host's, which is not there; then what is
 * mounted is the group itself.
 *
 * `root` is put before /proc and /sys: "" for this machine; tests lay out others. */
#ifndef CAEC_CONTAINER_H
#define CAEC_CONTAINER_H

/* The number in the first line of the file that starts with `key`; -1 if there is none ("max", a
   file that is not there). */
long long container_number(const char *path, const char *key);

/* Bytes that the groups leave: limit - used + inactive_file, the least of all; -1: no limit. Used
   memory counts the cache of files, which gives way before a program is refused any: inactive_file
   is the part that has not been used twice. */
long long container_memory_left(const char *root);

/* Processors that the groups' quotas of time amount to, as 1.5; 0: no quota. */
double container_processors(const char *root);

#endif
