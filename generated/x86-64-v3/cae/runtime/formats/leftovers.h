/* leftovers.h - what processes that were killed left half written in a folder. */
#ifndef CAEC_LEFTOVERS_H
#define CAEC_LEFTOVERS_H

/* Removes from the folder, or that of `path`, what processes that are no more left there half
   written: temporary files, and folders .caec-PID-NUMBER with the ending below in which files
   waited. Whoever makes such a folder holds a lock (flock) on it. Before anything is opened
   there. */
#define LEFTOVERS_WAITING ".wait"
void leftovers_remove(const char *folder);
void leftovers_remove_beside(const char *path);

#endif
