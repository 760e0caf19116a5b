#include "platform/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/leftovers.h"

enum { LINKS = 40 }; /* the most that the kernel follows (path_resolution(7)) */

/* -- the file to replace
 * --------------------------------------------------------------------------- */

/* Splits a path into its resolved directory and its last word. */
static int replacement_split(const char *path, char directory[PATH_MAX], const char **name) {
  char above[PATH_MAX];
  const char *slash = strrchr(path, '/');
  *name = slash == NULL ? path : slash + 1;
  if (strlen(path) >= sizeof above) return -ENAMETOOLONG;
  snprintf(above, sizeof above, "%.*s", slash == NULL ? 0 : (int)(slash - path + 1), path);
  return realpath(slash == NULL ? "." : above, directory) == NULL ? -errno : 0;
}

static int replacement_join(const char *directory, const char *name, char out[PATH_MAX]) {
  const char *slash = strcmp(directory, "/") == 0 ? "" : "/";
  int length = snprintf(out, PATH_MAX, "%s%s%s", directory, slash, name);
  return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Like realpath(3), but also follows a link whose file is missing. */
static int replacement_resolve(const char *path, char out[PATH_MAX]) {
  char directory[PATH_MAX], here[PATH_MAX], linked[PATH_MAX];
  const char *name;
  if (strlen(path) >= sizeof here) return -ENAMETOOLONG;
  strcpy(here, path);
  for (int i = 0; i < LINKS; i++) {
    if (realpath(here, out) != NULL) return 0;
    if (errno != ENOENT) return -errno;
    int result = replacement_split(here, directory, &name);
    if (result == 0) result = replacement_join(directory, name, out);
    if (result < 0) return result;
    ssize_t length = readlink(out, linked, sizeof linked - 1);
    if (length == -1) return name[0] == '\0' ? -ENOENT : 0;
    linked[length] = '\0';
    if (linked[0] == '/')
      strcpy(here, linked);
    else if ((result = replacement_join(directory, linked, here)) < 0)
      return result;
  }
  return -ELOOP;
}

static bool replacement_is_renamed_onto(const struct stat *former) {
  return S_ISREG(former->st_mode) && !file_is_same(former, STDOUT_FILENO) &&
         !file_is_same(former, STDERR_FILENO);
}

/* -- asking -------------------------------------------------------------------------------- */

static enum replacement_former replacement_former_of(const struct stat *former) {
  if (!replacement_is_renamed_onto(former)) return FORMER_STREAM;
  return former->st_size == 0 ? FORMER_NONE : FORMER_FILE;
}

static int replacement_check_directory(const char *path) {
  char target[PATH_MAX], directory[PATH_MAX];
  const char *name;
  int result = replacement_resolve(path, target);
  if (result == 0) result = replacement_split(target, directory, &name);
  if (result < 0) return result;
  return access(directory, W_OK | X_OK) == -1 ? -errno : 0;
}

int replacement_check(const char *path, enum replacement_former *out) {
  struct stat former;
  *out = FORMER_NONE;
  if (stat(path, &former) == -1)
    return errno == ENOENT ? replacement_check_directory(path) : -errno;
  if (S_ISDIR(former.st_mode)) return -EISDIR;
  if (access(path, W_OK) == -1) return -errno;
  *out = replacement_former_of(&former);
  return *out == FORMER_STREAM ? 0 : replacement_check_directory(path);
}

int replacement_identity(const char *path, char out[REPLACEMENT_IDENTITY]) {
  struct stat status;
  if (stat(path, &status) == -1) return replacement_resolve(path, out);
  snprintf(out, REPLACEMENT_IDENTITY, "%ju %ju", (uintmax_t)status.st_dev,
           (uintmax_t)status.st_ino);
  return 0;
}

/* -- writing ------------------------------------------------------------------------------- */

static int replacement_write_and_close(int fd, const char *bytes, size_t size) {
  int result = file_write_all(fd, bytes, size);
  if (close(fd) == -1 && errno != EINTR && result == 0) result = -errno; /* a quota of NFS */
  return result;
}

/* Writes by the open descriptor, if there is one. Its offset moves on, so that the next output does
 * not overwrite this. */
static int replacement_write_in_place(const char *path, const struct stat *former,
                                      const char *bytes, size_t size) {
  if (file_is_same(former, STDOUT_FILENO)) return file_write_all(STDOUT_FILENO, bytes, size);
  if (file_is_same(former, STDERR_FILENO)) return file_write_all(STDERR_FILENO, bytes, size);
  int fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
  return fd == -1 ? -errno : replacement_write_and_close(fd, bytes, size);
}

/* Makes a hidden file. The remover learns its name first. */
static int replacement_open_beside(const char *target, char beside[PATH_MAX]) {
  char directory[PATH_MAX], word[sizeof ".lunet-0123456789abcdef"];
  uint64_t random;
  const char *name;
  int result = replacement_split(target, directory, &name);
  if (result == 0) result = file_random(&random, sizeof random);
  if (result < 0) return result;
  snprintf(word, sizeof word, ".lunet-%016jx", (uintmax_t)random);
  if ((result = replacement_join(directory, word, beside)) < 0) return result;
  leftovers_add(beside);
  int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd != -1) return fd;
  result = -errno;
  leftovers_forget(beside);
  return result;
}

/* Owner before mode: chown(2) clears set-user-ID. An error of fchown is no failure: only root may
 * give a file away. */
static int replacement_keep_mode(int fd, const struct stat *former) {
  int given = fchown(fd, former->st_uid, former->st_gid);
  (void)given;
  return fchmod(fd, former->st_mode & 07777) == -1 ? -errno : 0;
}

/* former: NULL if the file is new. */
static int replacement_write_beside(const char *path, const struct stat *former, const char *bytes,
                                    size_t size) {
  char target[PATH_MAX], beside[PATH_MAX];
  int result = replacement_resolve(path, target);
  if (result < 0) return result;
  int fd = replacement_open_beside(target, beside);
  if (fd < 0) return fd;
  result = former == NULL ? 0 : replacement_keep_mode(fd, former);
  int written = replacement_write_and_close(fd, bytes, size);
  if (result == 0) result = written;
  if (result == 0 && rename(beside, target) == -1) result = -errno;
  if (result < 0) unlink(beside);
  leftovers_forget(beside);
  return result;
}

int replacement_write(const char *path, const char *bytes, size_t size) {
  struct stat former;
  if (stat(path, &former) == -1)
    return errno == ENOENT ? replacement_write_beside(path, NULL, bytes, size) : -errno;
  if (!replacement_is_renamed_onto(&former))
    return replacement_write_in_place(path, &former, bytes, size);
  return replacement_write_beside(path, &former, bytes, size);
}

int replacement_remove(const char *path) {
  char target[PATH_MAX];
  int result = replacement_resolve(path, target);
  if (result < 0) return result;
  return unlink(target) == -1 ? -errno : 0;
}
