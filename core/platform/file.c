#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

void file_leave(struct file_folder *folder) {
  if (folder->length != 0) close(folder->fd);
  folder->length = 0;
}

static int file_enter(struct file_folder *folder, const char *path, size_t length) {
  if (folder->length == length && memcmp(folder->path, path, length) == 0) return 0;
  file_leave(folder);
  memcpy(folder->path, path, length);
  folder->path[length] = '\0';
  folder->fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder->fd == -1) return -1;
  folder->length = length;
  return 0;
}

static int file_open(struct file_folder *folder, const char *path, int flags) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  bool is_deep = folder != NULL && length > 0 && length < sizeof folder->path;
  if (!is_deep) return open(path, flags | O_CLOEXEC);
  return file_enter(folder, path, length) == -1 ? -1
                                                : openat(folder->fd, slash + 1, flags | O_CLOEXEC);
}

int file_write_in(struct file_folder *folder, const char *path, const char *text) {
  int fd = file_open(folder, path, O_WRONLY);
  if (fd == -1) return -errno;
  ssize_t written = write(fd, text, strlen(text));
  int result = written == -1 ? -errno : 0;
  close(fd);
  return result;
}

int file_write(const char *path, const char *text) { return file_write_in(NULL, path, text); }

ssize_t file_read_in(struct file_folder *folder, const char *path, char *text, size_t size) {
  int fd = file_open(folder, path, O_RDONLY);
  text[0] = '\0';
  if (fd == -1) return -errno;
  ssize_t length = read(fd, text, size - 1);
  ssize_t result = length == -1 ? -errno : length;
  close(fd);
  text[length == -1 ? 0 : length] = '\0';
  return result;
}

int file_random(void *bytes, size_t size) {
  /* getrandom(2) never cuts up to 256 bytes short */
  ssize_t length = TEMP_FAILURE_RETRY(getrandom(bytes, size, 0));
  return length == -1 ? -errno : 0;
}

int file_lock_alone(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) return -errno;
  return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

static int file_make_one(const char *path) {
  return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

int file_make_directories(const char *path) {
  char part[PATH_MAX];
  int result = 0;
  if (strlen(path) >= sizeof part) return -ENAMETOOLONG;
  strcpy(part, path);
  for (char *slash = strchr(part + 1, '/'); slash != NULL && result == 0;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    result = file_make_one(part);
    *slash = '/';
  }
  return result < 0 ? result : file_make_one(part);
}

static int file_remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
  (void)status, (void)kind, (void)at;
  return remove(path) == 0 || errno == ENOENT ? 0 : -errno;
}

/* nftw(3) ends with ENOENT, too, if another process removes a directory during the walk: the rest
 * is still there then. */
int file_remove_tree(const char *path) {
  enum { DESCRIPTORS = 16 };
  struct stat status;
  int result = nftw(path, file_remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
  if (result != -1) return result; /* file_remove_one's */
  if (errno != ENOENT) return -errno;
  return lstat(path, &status) == -1 && errno == ENOENT ? 0 : -ENOENT;
}

int file_write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, bytes, size);
    if (written == -1 && errno == EINTR) continue;
    if (written == -1) return -errno;
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

bool file_is_same(const struct stat *about, int fd) {
  struct stat own;
  return fstat(fd, &own) == 0 && about->st_dev == own.st_dev && about->st_ino == own.st_ino;
}
