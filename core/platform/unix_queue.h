/* The queues of Unix sockets. They have no TCP_INFO, so sock_diag(7) is asked. */
#ifndef LUNET_PLATFORM_UNIX_QUEUE_H
#define LUNET_PLATFORM_UNIX_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The accept queue of a listener. Returns 0 or a negative errno (-ENOENT where the kernel has no
 * unix_diag). */
int unix_queue_read(int fd, uint32_t *depth, uint32_t *limit);

/* What has been written to a stream socket of the home namespace, of this inode, and that the far
 * end has not read; and whether a further write waits (net/core/sock.c, sock_alloc_send_pskb: no
 * room as long as the memory in use has reached SO_SNDBUF). Returns 0 or a negative errno. */
int unix_output_read(ino_t inode, uint32_t *memory, bool *is_full);

#endif
