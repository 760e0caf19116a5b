/* Makes TCP segments, and ICMP errors about segments, that nobody has sent. */
#ifndef LUNET_PLATFORM_CRAFT_H
#define LUNET_PLATFORM_CRAFT_H

#include "platform/segment.h"

enum { CRAFT_HEADERS = 60 }; /* the most bytes before the data */

/* Makes the IP packet of a segment without options. `s` has its ends, numbers, window and flags,
 * and `packet` room for CRAFT_HEADERS and the data. Both checksums are right, unless TCP's must be
 * wrong. Returns the packet's length. */
size_t craft_segment(const struct segment *s, const void *data, size_t length, bool is_wrong,
                     uint8_t *packet);

enum { CRAFT_ERROR_HEADERS = 48 }; /* of IPv6 and of ICMP */

/* An ICMP error message (RFC 792, RFC 4443). */
struct craft_error {
  uint8_t type, code;
  uint16_t mtu; /* of "fragmentation needed" and "packet too big"; else 0 */
};

/* Makes the IP packet of an ICMP error about the quoted IP packet: from its destination, to its
 * source. `packet` has room for CRAFT_ERROR_HEADERS and the quoted packet, which is at most 500
 * bytes long. Returns the packet's length. */
size_t craft_icmp(const struct segment *s, const struct craft_error *error, const uint8_t *quoted,
                  size_t size, uint8_t *packet);

#endif
