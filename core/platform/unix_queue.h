/* The queues of Unix sockets, by sock_diag(7): these sockets have no TCP_INFO. */
#ifndef LUNET_PLATFORM_UNIX_QUEUE_H
#define LUNET_PLATFORM_UNIX_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The accept queue of a listener. Returns 0 or a negative errno (-ENOENT where the kernel has no
 * unix_diag). */
int unix_queue_read(int fd, uint32_t *depth, uint32_t *limit);

/* Reads how much memory the unread output of a stream socket takes: of the one with this inode in
 * the home namespace. *is_full: a further write waits, since the memory has reached SO_SNDBUF
 * (net/core/sock.c, sock_alloc_send_pskb). Returns 0 or a negative errno. */
int unix_output_read(ino_t inode, uint32_t *memory, bool *is_full);

#endif
