#include "platform/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd == -1) return -errno;
  ssize_t written = write(fd, text, strlen(text));
  int result = written == -1 ? -errno : 0;
  close(fd);
  return result;
}

int identity_map(uid_t uid, gid_t gid) {
  char line[64];
  snprintf(line, sizeof line, "%u %u 1", (unsigned)uid, (unsigned)uid);
  int result = write_file("/proc/self/uid_map", line);
  if (result == 0) result = write_file("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "%u %u 1", (unsigned)gid, (unsigned)gid);
  return result < 0 ? result : write_file("/proc/self/gid_map", line);
}
