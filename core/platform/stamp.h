/* When the kernel saw a packet: it stamps by the wall clock (socket(7), SO_TIMESTAMPNS), and lunet
 * goes by the monotonic one. */
#ifndef LUNET_PLATFORM_STAMP_H
#define LUNET_PLATFORM_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

enum { STAMP_ROOM = CMSG_SPACE(sizeof(struct timespec)) }; /* of a message's control data */

/* The stamp of a received message, by the wall clock in nanoseconds; false if it has none. */
bool stamp_read(struct msghdr *message, int64_t *wall_ns);

#endif
