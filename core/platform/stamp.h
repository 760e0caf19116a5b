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

/* The kernel begins to stamp some time after the first socket on the machine has asked for it, in a
 * work queue (net/core/dev.c, net_enable_timestamp); until then a packet gets the time at which it
 * is read. Asks for stamps on a socket, and waits until they are true. ns: one with a loopback that
 * is up. 0 or a negative errno; -ETIME if they still were not after a while. */
int stamp_enable(int fd, int ns);

#endif
