/* path.h - the parts of a path. */
#ifndef CAEC_PATH_H
#define CAEC_PATH_H

/* Where the last part of a path begins. */
const char *path_base(const char *path);

/* The folder of a path, malloc'ed: "a/b.txt" gives "a", "b.txt" gives ".". */
char *path_folder(const char *path);

#endif
