/* The time at which the kernel saw a packet, by the wall clock (socket(7), SO_TIMESTAMPNS). lunet
 * converts it to the monotonic clock. */
#ifndef LUNET_PLATFORM_STAMP_H
#define LUNET_PLATFORM_STAMP_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel's notes on a packet. */
struct stamp {
  int64_t wall_ns;         /* wall clock (clock.h); 0: the packet has no stamp */
  struct sockaddr_ll from; /* for a packet socket: interface, direction, protocol */
  bool is_cut;             /* the packet is longer than the memory */
};

/* Reads a packet into `memory`. Returns the length of the part that fits, or a negative errno. */
ssize_t stamp_receive(int fd, void *memory, size_t size, struct stamp *out);

/* Turns stamps on for a socket, and waits until they are true. The first socket of the machine that
 * asks for stamps starts them by a work queue (net/core/dev.c, net_enable_timestamp). Until the
 * queue runs, a packet gets the time of the read. ns: a namespace whose loopback is up. 0 or a
 * negative errno; -ETIME if the stamps are still wrong after a second. */
int stamp_enable(int fd, int ns);

#endif
