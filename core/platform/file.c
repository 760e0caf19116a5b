#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd == -1) return -errno;
  ssize_t written = write(fd, text, strlen(text));
  int result = written == -1 ? -errno : 0;
  close(fd);
  return result;
}

int file_random(void *bytes, size_t size) {
  /* getrandom(2) never cuts up to 256 bytes short */
  ssize_t length = TEMP_FAILURE_RETRY(getrandom(bytes, size, 0));
  return length == -1 ? -errno : 0;
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

int file_remove_tree(const char *path) {
  enum { DESCRIPTORS = 16 };
  int result = nftw(path, file_remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
  if (result != -1) return result; /* file_remove_one's */
  return errno == ENOENT ? 0 : -errno;
}
