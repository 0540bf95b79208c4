/* held_folder.h - the one folder that a program writes into wherever it is renamed to meanwhile. */
#ifndef CAEC_HELD_FOLDER_H
#define CAEC_HELD_FOLDER_H

/* Holds a folder, one at a time: from now on whatever is written under a path that is `path` or
   begins with it and a slash goes into this very folder, also where it has been renamed and another
   stands in its place. 0, or -1 and errno. */
int held_folder_open(const char *path);
void held_folder_close(void);

/* For calls of the kind of openat: where `path` lies in the held folder its handle, with the path
 * from there in *rest; else AT_FDCWD and `path`. */
int held_folder_at(const char *path, const char **rest);

/* Where the held folder is now. MOVED: it has another name, in *path, malloc'ed. GONE: it was
   deleted, and nothing can be written there. STAYS: neither, or it cannot be told. */
typedef enum HeldFolder { HELD_FOLDER_STAYS, HELD_FOLDER_MOVED, HELD_FOLDER_GONE } HeldFolder;
HeldFolder held_folder_follow(char **path);

/* Takes over that name: the held folder is known by it from now on. */
void held_folder_rename(char *path);

#endif
