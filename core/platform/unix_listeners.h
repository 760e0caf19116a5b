/* Lists the listening Unix sockets of a namespace by sock_diag(7). */
#ifndef LUNET_PLATFORM_UNIX_LISTENERS_H
#define LUNET_PLATFORM_UNIX_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

struct unix_listener {
  uint32_t inode, depth, limit;
  address local;
};

struct unix_listener_list {
  struct unix_listener *listeners;
  size_t count, room;
};

/* ns: -1 for the home host's. 0 or a negative errno (-ENOENT where the kernel has no unix_diag).
 * Free the list in any case. */
int unix_listeners_read(int ns, struct unix_listener_list *out);
void unix_listeners_free(struct unix_listener_list *list);

#endif
