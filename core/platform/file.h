/* Reads and writes files of /proc, which give and take a value in one call, locks files, and makes
 * and removes directories. */
#ifndef LUNET_PLATFORM_FILE_H
#define LUNET_PLATFORM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The directory of the last of several files, which file_write_in and file_read_in keep open for
 * the next one. All hosts of a machine have directories of the same names in /proc/sys/net. To find
 * one of these by its path, the kernel looks at all of them (fs/proc/proc_sysctl.c,
 * proc_sys_compare). A folder belongs to one network namespace. It is empty at first, {0}. */
struct file_folder {
  int fd;
  size_t length; /* of path; 0: none is open */
  char path[256];
};

void file_leave(struct file_folder *folder); /* empties it */

/* All functions but file_read_in return 0 or a negative errno. `folder` may be NULL. */
int file_write_in(struct file_folder *folder, const char *path, const char *text);
int file_write(const char *path, const char *text);

/* Reads up to size - 1 bytes, and ends them with a zero. Their number, or a negative errno. */
ssize_t file_read_in(struct file_folder *folder, const char *path, char *text, size_t size);

/* Writes all bytes to a descriptor, in as many calls as that takes. */
int file_write_all(int fd, const char *bytes, size_t size);

struct stat;
bool file_is_same(const struct stat *about, int fd); /* whether both are one file */

/* Fills `bytes` with up to 256 random bytes, for a name that nobody can guess. */
int file_random(void *bytes, size_t size);

/* Locks an open file against all who lock it so (flock(2)), until its last descriptor is closed: no
 * program that lunet starts gets one. -EAGAIN means that somebody has locked it. */
int file_lock_alone(int fd);

/* Makes a directory and its missing parents (mkdir -p). */
int file_make_directories(const char *path);

/* Removes a file, or a directory and everything in it. A missing path is no error. -ENOTEMPTY means
 * that another process made new files meanwhile, -ENOENT that it removed some: then call again. */
int file_remove_tree(const char *path);

#endif
