#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int file_write(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd == -1) return -errno;
  ssize_t written = write(fd, text, strlen(text));
  int result = written == -1 ? -errno : 0;
  close(fd);
  return result;
}
