/* A tap: the TCP segments that pass a namespace's interfaces, both ways. It is where packet sockets
 * are (packet(7)): what arrives is seen before the firewall may lose it, and what leaves only if
 * the firewall let it pass.
 *
 * Not by libpcap, which asks the kernel for a ring: that makes opening take 5 to 15 ms and closing
 * 25, in which nothing else runs. A plain packet socket opens in 0.02 ms. */
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

int tap_open(int ns, tap **out); /* 0 or a negative errno */
int tap_fd(const tap *t);        /* readable when there is something to read */
void tap_close(tap *t); /* takes some 10 ms: the kernel waits until nobody looks at it any more */

/* Takes what has come since the last call, `most` at most; never waits. The times of one call are
 * converted together: they are off by at most `error_ns`. Returns how many, or a negative errno. */
typedef void (*tap_take)(void *owner, const struct segment *s);
int tap_read(tap *t, int most, tap_take take, void *owner, uint64_t *error_ns);

uint64_t tap_dropped(tap *t); /* by the kernel, since its buffer was full */

#endif
