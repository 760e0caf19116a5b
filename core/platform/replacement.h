/* Replaces a file: writes a new one beside it and renames that. At every moment the file is whole,
 * either the former one or the new one. */
#ifndef LUNET_PLATFORM_REPLACEMENT_H
#define LUNET_PLATFORM_REPLACEMENT_H

#include <limits.h>
#include <stddef.h>

/* All functions return 0 or a negative errno. */

enum replacement_former {
  FORMER_NONE, /* the file is missing or empty */
  FORMER_FILE,
  FORMER_STREAM /* not a regular file, or the one that is standard output or standard error */
};

/* Checks that a file of this name can be replaced or made, without making it. Sets *out to what is
 * there now. */
int replacement_check(const char *path, enum replacement_former *out);

/* Replaces the file or makes it. The new file keeps the mode and the owner of the former one. A
 * symbolic link stays: its target is replaced. A FORMER_STREAM is written in place. */
int replacement_write(const char *path, const char *bytes, size_t size);

/* Removes a file that this program has made at the path; of a symbolic link its target. */
int replacement_remove(const char *path);

/* Writes a text that is the same for all names of one file, also of a missing file. */
enum { REPLACEMENT_IDENTITY = PATH_MAX + 2 };
int replacement_identity(const char *path, char out[REPLACEMENT_IDENTITY]);

#endif
