/* Finds the processes that hold sockets: proc(5), /proc/PID/fd. */
#ifndef LUNET_PLATFORM_SOCKET_OWNER_H
#define LUNET_PLATFORM_SOCKET_OWNER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct socket_owner {
  uint32_t inode;
  pid_t number; /* the lowest number of a process that holds it; 0: none that this user may see */
  char name[64];
};

/* Sets number and name of each, in one pass through /proc. Sorts them by inode. Stops as soon as
 * every one has a holder. Returns 0 or a negative errno. */
int socket_owner_find_all(struct socket_owner *owners, size_t count);

#endif
