/* The content of the Ethernet frames that packet sockets read: `frame` begins at the Ethernet
 * header. */
#ifndef LUNET_PLATFORM_FRAME_H
#define LUNET_PLATFORM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/segment.h"

enum frame_kind {
  FRAME_DATA,
  FRAME_KEEPS_HOUSE,      /* router discovery (RFC 4861), multicast membership (MLD, IGMP) */
  FRAME_RESOLVES_ADDRESS, /* ARP, IPv6 neighbour solicitation or advertisement */
};

enum frame_kind frame_kind(const uint8_t *frame, size_t length);

/* Reads a TCP segment's headers, or only the ends of a UDP datagram; false for all else. */
bool frame_read(const uint8_t *frame, size_t length, struct segment *out);
bool frame_read_segment(const uint8_t *frame, size_t length, struct segment *out); /* only TCP */

/* Keeps the packet's first bytes in `out`, as taps do. */
void frame_keep(const uint8_t *frame, size_t length, struct segment *out);

/* Puts an Ethernet header before an IP packet; `frame` has room for FRAME_HEADER bytes more.
 * Returns the length of the frame. */
enum { FRAME_HEADER = 14, FRAME_ADDRESS = 6 };
size_t frame_make(uint8_t *frame, const uint8_t *to, const uint8_t *from, const void *packet,
                  size_t size);

/* Flips one bit of the data that the frame carries, or of its checksum if it carries none. The
 * checksum is wrong afterwards. `where` chooses the bit. */
void frame_corrupt(uint8_t *frame, size_t length, uint64_t where);

/* Sets "congestion experienced" if the sender understands it (RFC 3168). Returns whether it does.
 */
bool frame_mark(uint8_t *frame, size_t length);

#endif
