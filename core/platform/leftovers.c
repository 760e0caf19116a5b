#include "platform/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/guard.h"

enum { AT_EXIT_MS = 5000 };

/* The remover of this process. Static: a signal handler finishes it. */
static struct {
  volatile int socket; /* lunet's end; -1: it has not been started */
  pid_t process;
  pid_t owner;        /* a child that forks without exec must not end its parent's remover */
  bool is_registered; /* to be finished at exit */
} remover = {.socket = -1};

/* Ctrl-C and a hangup reach every process of the terminal: the remover has a session of its own,
 * and starts with all signals blocked. */
static int leftovers_spawn_attributes(posix_spawnattr_t *attributes) {
  sigset_t all;
  sigfillset(&all);
  int error = posix_spawnattr_init(attributes);
  if (error != 0) return error;
  posix_spawnattr_setsigmask(attributes, &all);
  return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
}

static int leftovers_spawn_remover(int socket) {
  char *words[] = {(char *)guard_path(), LEFTOVERS_OPTION, NULL};
  char *environment[] = {NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (words[0] == NULL) return ENOENT;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawn_file_actions_adddup2(&actions, socket, LEFTOVERS_SOCKET);
  if (error == 0) error = leftovers_spawn_attributes(&attributes);
  if (error == 0) {
    error = posix_spawn(&remover.process, words[0], &actions, &attributes, words, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static void leftovers_finish_at_exit(void) { leftovers_finish(AT_EXIT_MS); }

static void leftovers_start(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return;
  if (!remover.is_registered) remover.is_registered = atexit(leftovers_finish_at_exit) == 0;
  int error = leftovers_spawn_remover(pair[1]);
  close(pair[1]);
  if (error != 0) {
    close(pair[0]);
    return;
  }
  remover.owner = getpid();
  remover.socket = pair[0];
}

static void leftovers_tell(char order, const char *path) {
  struct iovec parts[] = {{&order, 1}, {(char *)path, strlen(path) + 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  while (sendmsg(remover.socket, &message, MSG_NOSIGNAL) == -1 && errno == EINTR) continue;
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
  /* Its end of the socket closes when it has removed everything. */
  if (poll(&end, 1, timeout_ms) == 1) waitpid(remover.process, NULL, 0);
  close(end.fd);
  errno = error;
}
