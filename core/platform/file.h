/* Writes files of /proc, which take a value in one write(2), and makes and removes directories. */
#ifndef LUNET_PLATFORM_FILE_H
#define LUNET_PLATFORM_FILE_H

#include <stddef.h>

/* All functions return 0 or a negative errno. */
int file_write(const char *path, const char *text);

/* Fills `bytes` with up to 256 random bytes, for a name that nobody can guess. */
int file_random(void *bytes, size_t size);

/* Makes a directory and its missing parents (mkdir -p). */
int file_make_directories(const char *path);

/* Removes a file, or a directory and everything in it. A missing path is no error. -ENOTEMPTY means
 * that somebody made new files meanwhile. */
int file_remove_tree(const char *path);

#endif
