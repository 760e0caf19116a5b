/* Starts a program: posix_spawn(3), in a session of its own, with no signal ignored. */
#ifndef LUNET_PLATFORM_SPAWN_H
#define LUNET_PLATFORM_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

enum { SPAWN_NULL = -1 }; /* in place of a descriptor: /dev/null */

struct spawn {
  const char *file;
  char **words, **environment; /* each ends with NULL */
  const int *descriptors;      /* what becomes the program's 0, 1, ...; it gets no others */
  int count;
  bool blocks_signals; /* the program starts with all of them blocked */
};

/* The number of its process, or a negative errno: also that of execve(2). */
pid_t spawn_program(const struct spawn *s);

/* A descriptor that becomes readable when the child ends, pidfd_open(2); or a negative errno. */
int spawn_watch(pid_t child);

#endif
