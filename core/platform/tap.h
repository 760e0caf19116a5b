/* A tap shows the TCP segments that pass a namespace's interfaces, both ways. It is a packet socket
 * (packet(7)): it sees an arriving segment before the firewall does, and a leaving segment only
 * after the firewall has let it pass.
 *
 * The kernel copies the first bytes of each packet into a ring in shared memory (TPACKET_V2;
 * Documentation/networking/packet_mmap.rst). A plain packet socket would disturb the connection. It
 * holds the packet itself until somebody reads it, and TCP does not merge segments that somebody
 * else holds (skb_try_coalesce). Each segment then takes a whole buffer, so that a receive buffer
 * holds up to a third less. Version 3 would show packets late, a block at a time. */
#ifndef LUNET_PLATFORM_TAP_H
#define LUNET_PLATFORM_TAP_H

#include <stdint.h>

#include "platform/segment.h"

typedef struct tap tap;

/* Takes 5 to 15 ms: the kernel gives a socket its ring once no processor can still look at the
 * socket (synchronize_net). 0 or a negative errno. */
int tap_open(int ns, tap **out);
int tap_fd(const tap *t); /* readable when there is a segment to read */

/* Does not wait. The kernel takes about 25 ms to end the ring. A thread waits for that, so the
 * namespace ends later. */
void tap_close(tap *t);

/* Takes up to `most` packets that have come since the last call, and never waits. The times of one
 * call are off by at most *error_ns. Returns the number of packets or a negative errno. */
typedef void (*tap_take)(void *owner, const struct segment *s);
int tap_read(tap *t, int most, tap_take take, void *owner, uint64_t *error_ns);

uint64_t tap_dropped(tap *t); /* packets that the kernel dropped because the ring was full */

#endif
