/* The accept queue of a Unix listener. It has no TCP_INFO, so sock_diag(7) is asked. */
#ifndef LUNET_PLATFORM_UNIX_QUEUE_H
#define LUNET_PLATFORM_UNIX_QUEUE_H

#include <stdint.h>

/* Returns 0 or a negative errno (-ENOENT where the kernel has no unix_diag). */
int unix_queue_read(int fd, uint32_t *depth, uint32_t *limit);

#endif
