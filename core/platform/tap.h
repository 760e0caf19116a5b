/* A tap: the TCP segments that pass a namespace's interfaces, both ways. It is where packet sockets
 * are (packet(7)): what arrives is seen before the firewall may lose it, and what leaves only if
 * the firewall let it pass.
 *
 * The kernel copies each packet's first bytes into a ring in shared memory (TPACKET_V2;
 * Documentation/networking/packet_mmap.rst). A plain packet socket would change what it shows: it
 * holds on to the packet itself until that is read, and TCP does not merge segments that somebody
 * else holds (skb_try_coalesce). Each then takes a buffer of its own, so that a receive buffer
 * takes up to a third less. Version 2 since version 3 shows packets in blocks, which is late. */
#ifndef LUNET_PLATFORM_TAP_H
#define LUNET_PLATFORM_TAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tap tap;

enum { TAP_BYTES = 160 }; /* of each packet: its headers, and what follows as far as it fits */

enum segment_flag {
  SEGMENT_FIN = 1,
  SEGMENT_SYN = 2,
  SEGMENT_RST = 4,
  SEGMENT_PSH = 8,
  SEGMENT_ACK = 16,
  SEGMENT_URG = 32,
};

struct segment {
  uint64_t at_ns;   /* clock.h; the kernel stamps by the wall clock, converted when it is read */
  uint8_t from[16]; /* an IPv4 address lies in the first four bytes */
  uint8_t to[16];
  uint16_t from_port;
  uint16_t to_port;
  uint32_t sequence, acknowledgement;
  uint32_t bytes;  /* of data. A burst that is cut by the interface later is one segment here */
  uint32_t length; /* of the IP packet */
  uint16_t window; /* as it is in the header: unscaled */
  uint8_t flags;   /* enum segment_flag */
  bool is_ipv6;
  bool is_outgoing;
  uint8_t captured; /* bytes of the packet, from its IP header on */
  uint8_t packet[TAP_BYTES];
};

/* Waits 5 to 15 ms for the kernel: it gives a socket its ring when no processor can still be
 * looking at the socket (synchronize_net). 0 or a negative errno. */
int tap_open(int ns, tap **out);
int tap_fd(const tap *t); /* readable when there is something to read */

/* Does not wait. The kernel takes some 25 ms to end the ring: a thread waits for that, so that the
 * namespace ends later. */
void tap_close(tap *t);

/* Takes what has come since the last call, `most` at most; never waits. The times of one call are
 * converted together: they are off by at most `error_ns`. Returns how many, or a negative errno. */
typedef void (*tap_take)(void *owner, const struct segment *s);
int tap_read(tap *t, int most, tap_take take, void *owner, uint64_t *error_ns);

uint64_t tap_dropped(tap *t); /* by the kernel, since its buffer was full */

#endif
