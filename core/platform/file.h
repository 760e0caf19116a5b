/* Files: those of /proc, which take a value as a whole, and trees of directories. */
#ifndef LUNET_PLATFORM_FILE_H
#define LUNET_PLATFORM_FILE_H

#include <stddef.h>

/* These return 0 or a negative errno. */
int file_write(const char *path, const char *text);

/* Bytes for a name that nobody can guess. */
int file_random(void *bytes, size_t size);

/* Makes a directory, and those above it (mkdir -p). */
int file_make_directories(const char *path);

/* Removes a file, or a directory with all that is in it. A path that is not there is no error.
 * -ENOTEMPTY: somebody was making new files meanwhile. */
int file_remove_tree(const char *path);

#endif
