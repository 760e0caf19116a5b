#include "remover.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/leftovers.h"

/* How often the remover tries again, for 30 s in all: a dying program may still create files in a
 * directory. */
enum { TRIES = 3000 };
static const struct timespec PAUSE = {.tv_nsec = 10000000};

/* The paths to remove. Static, since this process does nothing else. */
static struct {
  char **paths;
  size_t count;
} kept;

static void remover_add(const char *path) {
  char **more = realloc(kept.paths, (kept.count + 1) * sizeof *kept.paths);
  if (more == NULL) return;
  kept.paths = more;
  kept.paths[kept.count] = strdup(path);
  if (kept.paths[kept.count] != NULL) kept.count++;
}

static void remover_forget(const char *path) {
  for (size_t i = kept.count; i-- > 0;) {
    if (strcmp(kept.paths[i], path) != 0) continue;
    free(kept.paths[i]);
    kept.paths[i] = kept.paths[--kept.count];
    return;
  }
}

static void remover_learn(void) {
  char packet[1 + PATH_MAX];
  ssize_t length; /* 0: lunet has ended */
  while ((length = recv(LEFTOVERS_SOCKET, packet, sizeof packet - 1, 0)) != 0) {
    if (length == -1 && errno == EINTR) continue;
    if (length == -1) return;
    packet[length] = '\0';
    if (packet[0] == LEFTOVERS_ADD)
      remover_add(packet + 1);
    else
      remover_forget(packet + 1);
  }
}

static void remover_remove_all(void) {
  for (int i = 0; i < TRIES; i++) {
    int left = 0;
    for (size_t p = 0; p < kept.count; p++) left += file_remove_tree(kept.paths[p]) != 0;
    if (left == 0) return;
    nanosleep(&PAUSE, NULL);
  }
}

_Noreturn void remover_run(void) {
  if (chdir("/") == -1) _exit(EXIT_FAILURE); /* so that it keeps no directory busy */
  close_range(LEFTOVERS_SOCKET + 1, ~0u, 0); /* readers of lunet's streams must see its end */
  /* lunet may have been on a host, whose network namespace must end with the host: leave it.
   * Without privilege the kernel refuses, and the namespace ends when the remover does. */
  unshare(CLONE_NEWNET);
  remover_learn();
  remover_remove_all();
  _exit(EXIT_SUCCESS);
}
