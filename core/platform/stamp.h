/* When the kernel saw a packet: it stamps by the wall clock (socket(7), SO_TIMESTAMPNS), and lunet
 * goes by the monotonic one. */
#ifndef LUNET_PLATFORM_STAMP_H
#define LUNET_PLATFORM_STAMP_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel tells of a packet. */
struct stamp {
  int64_t wall_ns;         /* the wall clock, clock.h; 0: the packet has no stamp */
  struct sockaddr_ll from; /* of a packet socket: interface, direction, protocol */
  bool is_cut;             /* the packet is longer than the memory */
};

/* Reads a packet into `memory`. Its length as far as it fits, or a negative errno. */
ssize_t stamp_receive(int fd, void *memory, size_t size, struct stamp *out);

/* The kernel begins to stamp some time after the first socket on the machine has asked for it, in a
 * work queue (net/core/dev.c, net_enable_timestamp); until then a packet gets the time at which it
 * is read. Asks for stamps on a socket, and waits until they are true. ns: one with a loopback that
 * is up. 0 or a negative errno; -ETIME if they still were not after a while. */
int stamp_enable(int fd, int ns);

#endif
