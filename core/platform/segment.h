/* A TCP segment, as its headers describe it. */
#ifndef LUNET_PLATFORM_SEGMENT_H
#define LUNET_PLATFORM_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_BYTES = 160 }; /* that a tap keeps of each packet: its headers and the first data */

enum segment_flag {
  SEGMENT_FIN = 1,
  SEGMENT_SYN = 2,
  SEGMENT_RST = 4,
  SEGMENT_PSH = 8,
  SEGMENT_ACK = 16,
  SEGMENT_URG = 32,
};

enum { SEGMENT_FLAGS_TEXT = 32 };

const char *segment_flags(uint8_t flags, char text[SEGMENT_FLAGS_TEXT]); /* "SYN,ACK" */

struct segment {
  uint64_t at_ns;   /* clock_now_ns(), converted from the wall clock at the read */
  uint8_t from[16]; /* an IPv4 address takes the first four bytes */
  uint8_t to[16];
  uint16_t from_port;
  uint16_t to_port;
  uint32_t sequence, acknowledgement;
  uint32_t bytes;  /* of data. A burst that the interface cuts later is one segment here */
  uint32_t length; /* of the IP packet */
  uint16_t window; /* unscaled, as in the header */
  uint8_t flags;   /* enum segment_flag */
  bool is_ipv6;
  bool is_outgoing;
  bool at_loopback;
  uint8_t captured; /* bytes in `packet`, from the IP header on */
  uint8_t packet[SEGMENT_BYTES];
};

/* Reads the headers of an IP packet, of which `size` bytes are there. Returns false, perhaps with
 * the addresses set, if it is no TCP segment or too short. `ethertype` is in the host's order. */
bool segment_read(const uint8_t *packet, size_t size, uint16_t ethertype, struct segment *s);

/* The options of a segment's TCP header (RFC 9293, 7323, 2018, 7413). */
struct segment_options {
  bool has_mss, has_scale, has_timestamps, has_cookie;
  bool sack_permitted;
  uint16_t mss;
  uint8_t scale;
  uint32_t timestamp, echo;
  uint8_t cookie_length; /* of fast open; 0: a request for one */
  uint8_t cookie[16];
};

/* Reads them from the bytes that `packet` keeps. Stops at an option that is cut. */
void segment_read_options(const struct segment *s, struct segment_options *out);

/* Reads the ports of a UDP datagram, too, and returns false without ports. */
bool segment_read_ends(const uint8_t *packet, size_t size, uint16_t ethertype, struct segment *s);

#endif
