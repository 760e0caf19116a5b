/* The replacement of a file: written beside it and renamed, so that the file is whole at every
 * moment: the former one, or the new one. */
#ifndef LUNET_PLATFORM_REPLACEMENT_H
#define LUNET_PLATFORM_REPLACEMENT_H

#include <limits.h>
#include <stddef.h>

/* All return 0 or a negative errno. */

enum replacement_former {
  FORMER_NONE, /* it is not there, or empty */
  FORMER_FILE,
  FORMER_STREAM /* no regular file, or the one that is standard output or standard error already */
};

/* Whether a file of this name can be replaced, or made, and what is there; makes nothing. */
int replacement_check(const char *path, enum replacement_former *out);

/* Replaces it, or makes it. A symbolic link stays one: the file that it names is replaced, and
 * keeps its mode and owner. A FORMER_STREAM is written to as it is. */
int replacement_write(const char *path, const char *bytes, size_t size);

/* A text that is the same for two names of one file, also of one that is not there yet. */
enum { REPLACEMENT_IDENTITY = PATH_MAX + 2 };
int replacement_identity(const char *path, char out[REPLACEMENT_IDENTITY]);

#endif
