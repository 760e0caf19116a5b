#include "platform/namespace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/namespace.h"

enum { CHUNK = 16 * 1024 };

static int namespace_file_open_file(int ns, const char *path, int flags) {
  int result = ns == -1 ? 0 : namespace_enter(ns);
  if (result < 0) return result;
  int fd = open(path, flags | O_CLOEXEC);
  result = fd == -1 ? -errno : fd;
  if (ns != -1) namespace_leave();
  return result;
}

static ssize_t namespace_file_read_all(int fd, char **text) {
  size_t length = 0;
  *text = NULL;
  for (;;) {
    char *longer = realloc(*text, length + CHUNK);
    ssize_t got = longer == NULL ? -1 : read(fd, longer + length, CHUNK - 1);
    int error = longer == NULL ? ENOMEM : errno;
    if (longer != NULL) *text = longer;
    if (got == -1) {
      free(*text);
      return -error;
    }
    length += (size_t)got;
    (*text)[length] = '\0';
    if (got == 0) return (ssize_t)length;
  }
}

ssize_t namespace_read_file(int ns, const char *path, char **text) {
  int fd = namespace_file_open_file(ns, path, O_RDONLY);
  if (fd < 0) return fd;
  ssize_t length = namespace_file_read_all(fd, text);
  close(fd);
  return length;
}

ssize_t namespace_write_file(int ns, const char *path, const char *text, size_t length) {
  int fd = namespace_file_open_file(ns, path, O_WRONLY);
  if (fd < 0) return fd;
  ssize_t written = write(fd, text, length); /* one call: /proc takes a value as a whole */
  if (written == -1) written = -errno;
  close(fd);
  return written;
}
