#include "platform/leftovers.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/guard.h"
#include "platform/spawn.h"

enum { AT_EXIT_MS = 5000 };

/* The remover of this process. Static, because a signal handler uses it. */
static struct {
  volatile int socket; /* lunet's end; -1: the remover has not started */
  pid_t process;
  pid_t owner;        /* a child that forked without exec must not end the remover of its parent */
  bool is_registered; /* exit(3) calls leftovers_finish */
} remover = {.socket = -1};

/* Blocks all signals: a service manager that ends lunet signals all of its processes. */
static pid_t leftovers_spawn_remover(int socket) {
  char *words[] = {(char *)guard_path(), LEFTOVERS_OPTION, NULL}, *environment[] = {NULL};
  struct spawn what = {words[0], words, environment, &socket, 1, true};
  return what.file == NULL ? -ENOENT : spawn_program(&what);
}

static void leftovers_finish_at_exit(void) { leftovers_finish(AT_EXIT_MS); }

static void leftovers_start(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return;
  if (!remover.is_registered) remover.is_registered = atexit(leftovers_finish_at_exit) == 0;
  remover.process = leftovers_spawn_remover(pair[1]);
  close(pair[1]);
  if (remover.process < 0) {
    close(pair[0]);
    return;
  }
  remover.owner = getpid();
  remover.socket = pair[0];
}

static void leftovers_tell(char order, const char *path) {
  struct iovec parts[] = {{&order, 1}, {(char *)path, strlen(path) + 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  TEMP_FAILURE_RETRY(sendmsg(remover.socket, &message, MSG_NOSIGNAL));
}

void leftovers_add(const char *path) {
  if (remover.socket == -1) leftovers_start();
  if (remover.socket != -1) leftovers_tell(LEFTOVERS_ADD, path);
}

void leftovers_forget(const char *path) {
  if (remover.socket != -1) leftovers_tell(LEFTOVERS_FORGET, path);
}

void leftovers_finish(int timeout_ms) {
  int error = errno;
  struct pollfd end = {.fd = remover.socket, .events = POLLIN};
  if (remover.socket == -1 || remover.owner != getpid()) return;
  remover.socket = -1;
  shutdown(end.fd, SHUT_WR);
  /* The remover closes its end of the socket once it has removed everything. */
  if (poll(&end, 1, timeout_ms) == 1) waitpid(remover.process, NULL, 0);
  close(end.fd);
  errno = error;
}
