#include "platform/socket_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/file.h"

struct search {
  struct socket_owner *owners;
  size_t count, missing;
};

static int socket_owner_compare(const void *a, const void *b) {
  const struct socket_owner *x = a, *y = b;
  return (x->inode > y->inode) - (x->inode < y->inode);
}

/* A process that has ended meanwhile has no name. */
static void socket_owner_read_name(const char *number, char name[64]) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%s/comm", number);
  file_read_in(NULL, path, name, 64);
  name[strcspn(name, "\n")] = '\0';
}

static void socket_owner_try(struct search *s, const char *number, const char *target) {
  struct socket_owner wanted = {0};
  if (sscanf(target, "socket:[%" SCNu32 "]", &wanted.inode) != 1) return;
  struct socket_owner *found =
    bsearch(&wanted, s->owners, s->count, sizeof wanted, socket_owner_compare);
  if (found == NULL || found->number != 0) return;
  socket_owner_read_name(number, found->name);
  if (found->name[0] == '\0') return; /* ended; another process may hold it */
  found->number = (pid_t)strtol(number, NULL, 10);
  s->missing--;
}

/* The descriptors of other users' processes are hidden; a process may end meanwhile. */
static int socket_owner_search_process(struct search *s, int proc, const char *number) {
  char path[300], target[64];
  snprintf(path, sizeof path, "%s/fd", number);
  int directory = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory == -1) return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
  DIR *descriptors = fdopendir(directory);
  if (descriptors == NULL) { /* fstat(2) fails once the process has ended */
    int error = errno;
    close(directory);
    return error == ENOMEM ? -ENOMEM : 0;
  }
  for (struct dirent *d; s->missing > 0 && (d = readdir(descriptors)) != NULL;) {
    ssize_t length = readlinkat(directory, d->d_name, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = '\0';
    socket_owner_try(s, number, target);
  }
  closedir(descriptors);
  return 0;
}

int socket_owner_find_all(struct socket_owner *owners, size_t count) {
  struct search s = {owners, count, count};
  int result = 0;
  qsort(owners, count, sizeof *owners, socket_owner_compare);
  for (size_t i = 0; i < count; i++) owners[i].number = 0;
  DIR *proc = opendir("/proc");
  if (proc == NULL) return -errno;
  for (struct dirent *d; result == 0 && s.missing > 0 && (d = readdir(proc)) != NULL;)
    if (isdigit((unsigned char)d->d_name[0]))
      result = socket_owner_search_process(&s, dirfd(proc), d->d_name);
  closedir(proc);
  return result;
}
