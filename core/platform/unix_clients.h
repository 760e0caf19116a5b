/* Counts the clients in the queue of a listening Unix socket that send no more. */
#ifndef LUNET_PLATFORM_UNIX_CLIENTS_H
#define LUNET_PLATFORM_UNIX_CLIENTS_H

#include <stdint.h>

/* Sets *left to how many of a listener's queued clients have closed, or shut down their side.
 * `queue` is the inode of the listener. ns: -1 for the home host's. 0 or a negative errno
 * (-EMSGSIZE: about 2,000 clients or more, too many for the kernel's answer). */
int unix_clients_count_left(int ns, uint32_t queue, uint32_t *left);

#endif
