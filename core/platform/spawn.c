#include "platform/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Lower ones first: none that is still wanted is overwritten, since a source is never lower than
 * where it goes. */
static int spawn_add_descriptors(posix_spawn_file_actions_t *actions, const struct spawn *s) {
  int error = 0;
  for (int i = 0; i < s->count && error == 0; i++)
    error = s->descriptors[i] == SPAWN_NULL
              ? posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0)
              : posix_spawn_file_actions_adddup2(actions, s->descriptors[i], i);
  return error;
}

static int spawn_set_attributes(posix_spawnattr_t *attributes, const struct spawn *s) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, s->blocks_signals ? &all : &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
}

pid_t spawn_program(const struct spawn *s) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  pid_t child = 0;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int error = spawn_set_attributes(&attributes, s);
  if (error == 0) error = spawn_add_descriptors(&actions, s);
  if (error == 0)
    error = posix_spawn(&child, s->file, &actions, &attributes, s->words, s->environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? child : -error;
}

int spawn_watch(pid_t child) {
  int fd = (int)syscall(SYS_pidfd_open, child, 0);
  return fd == -1 ? -errno : fd;
}
