#include "platform/frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

enum { ETHERNET = sizeof(struct ether_header) };
_Static_assert(sizeof(struct ether_header) == FRAME_HEADER, "net/ethernet.h");

static uint16_t frame_ethertype(const uint8_t *frame, size_t length) {
  struct ether_header ethernet;
  if (length < ETHERNET) return 0;
  memcpy(&ethernet, frame, sizeof ethernet);
  return ntohs(ethernet.ether_type);
}

/* -- kinds --------------------------------------------------------------------------------- */

static enum frame_kind frame_kind_of_icmp6(uint8_t type) {
  switch (type) {
  case ND_NEIGHBOR_SOLICIT:
  case ND_NEIGHBOR_ADVERT: return FRAME_RESOLVES_ADDRESS;
  case ND_ROUTER_SOLICIT:
  case ND_ROUTER_ADVERT:
  case ND_REDIRECT:
  case MLD_LISTENER_QUERY:
  case MLD_LISTENER_REPORT:
  case MLD_LISTENER_REDUCTION: return FRAME_KEEPS_HOUSE;
  default: return FRAME_DATA;
  }
}

static enum frame_kind frame_kind_of_ipv6(const uint8_t *packet, size_t size) {
  enum { HOP_BY_HOP = 0 };
  struct ip6_hdr ip;
  if (size < sizeof ip + sizeof(struct icmp6_hdr)) return FRAME_DATA;
  memcpy(&ip, packet, sizeof ip);
  if (ip.ip6_nxt == HOP_BY_HOP) return FRAME_KEEPS_HOUSE; /* MLD's router alert (RFC 3810) */
  return ip.ip6_nxt == IPPROTO_ICMPV6 ? frame_kind_of_icmp6(packet[sizeof ip]) : FRAME_DATA;
}

static enum frame_kind frame_kind_of_ipv4(const uint8_t *packet, size_t size) {
  struct iphdr ip;
  if (size < sizeof ip) return FRAME_DATA;
  memcpy(&ip, packet, sizeof ip);
  return ip.protocol == IPPROTO_IGMP ? FRAME_KEEPS_HOUSE : FRAME_DATA;
}

enum frame_kind frame_kind(const uint8_t *frame, size_t length) {
  switch (frame_ethertype(frame, length)) {
  case ETHERTYPE_ARP: return FRAME_RESOLVES_ADDRESS;
  case ETHERTYPE_IPV6: return frame_kind_of_ipv6(frame + ETHERNET, length - ETHERNET);
  case ETHERTYPE_IP: return frame_kind_of_ipv4(frame + ETHERNET, length - ETHERNET);
  default: return FRAME_DATA;
  }
}

/* -- reading ------------------------------------------------------------------------------- */

bool frame_read(const uint8_t *frame, size_t length, struct segment *out) {
  uint16_t ethertype = frame_ethertype(frame, length);
  return ethertype != 0 && segment_read_ends(frame + ETHERNET, length - ETHERNET, ethertype, out);
}

bool frame_read_segment(const uint8_t *frame, size_t length, struct segment *out) {
  uint16_t ethertype = frame_ethertype(frame, length);
  return ethertype != 0 && segment_read(frame + ETHERNET, length - ETHERNET, ethertype, out);
}

void frame_keep(const uint8_t *frame, size_t length, struct segment *out) {
  size_t size = length - ETHERNET;
  out->captured = (uint8_t)(size < SEGMENT_BYTES ? size : SEGMENT_BYTES);
  memcpy(out->packet, frame + ETHERNET, out->captured);
}

size_t frame_make(uint8_t *frame, const uint8_t *to, const uint8_t *from, const void *packet,
                  size_t size) {
  enum { VERSION_SHIFT = 4, VERSION_6 = 6 };
  bool is_ipv6 = size > 0 && *(const uint8_t *)packet >> VERSION_SHIFT == VERSION_6;
  struct ether_header ethernet = {
    .ether_type = htons(is_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP),
  };
  memcpy(ethernet.ether_dhost, to, FRAME_ADDRESS);
  memcpy(ethernet.ether_shost, from, FRAME_ADDRESS);
  memcpy(frame, &ethernet, sizeof ethernet);
  memcpy(frame + sizeof ethernet, packet, size);
  return sizeof ethernet + size;
}

/* -- changing ------------------------------------------------------------------------------ */

struct range {
  size_t first, end;
};

/* The bytes behind the transport header at `at`, or its checksum if there are none. */
static struct range frame_data(const uint8_t *frame, size_t at, size_t end, uint8_t protocol) {
  struct range checksum = {at + 2, at + 4}; /* of ICMP */
  size_t header = sizeof(struct icmp6_hdr);
  if (protocol == IPPROTO_TCP && end >= at + sizeof(struct tcphdr)) {
    struct tcphdr tcp;
    memcpy(&tcp, frame + at, sizeof tcp);
    header = tcp.doff * 4u;
    checksum.first = at + offsetof(struct tcphdr, check);
  } else if (protocol == IPPROTO_UDP) {
    header = sizeof(struct udphdr);
    checksum.first = at + offsetof(struct udphdr, check);
  }
  checksum.end = checksum.first + sizeof(uint16_t);
  return end > at + header ? (struct range){at + header, end} : checksum;
}

static struct range frame_corruptible(const uint8_t *frame, size_t length) {
  struct range all = {ETHERNET, length}, found = all;
  uint16_t ethertype = frame_ethertype(frame, length);
  if (ethertype == ETHERTYPE_IP && length >= ETHERNET + sizeof(struct iphdr)) {
    struct iphdr ip;
    memcpy(&ip, frame + ETHERNET, sizeof ip);
    found = frame_data(frame, ETHERNET + ip.ihl * 4u, length, ip.protocol);
  } else if (ethertype == ETHERTYPE_IPV6 && length >= ETHERNET + sizeof(struct ip6_hdr)) {
    struct ip6_hdr ip;
    memcpy(&ip, frame + ETHERNET, sizeof ip);
    found = frame_data(frame, ETHERNET + sizeof ip, length, ip.ip6_nxt);
  }
  return found.end <= length ? found : all;
}

void frame_corrupt(uint8_t *frame, size_t length, uint64_t where) {
  struct range r = frame_corruptible(frame, length);
  if (r.first >= r.end) return;
  uint64_t bit = where % (8 * (r.end - r.first));
  frame[r.first + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

enum { ECN = 3, NOT_CAPABLE = 0 };

static bool frame_mark_ipv4(uint8_t *packet, size_t size) {
  struct iphdr ip;
  if (size < sizeof ip) return false;
  memcpy(&ip, packet, sizeof ip);
  if ((ip.tos & ECN) == NOT_CAPABLE) return false;
  /* The sum over the header changes by as much as the octet does (RFC 1624). */
  uint32_t sum = (uint16_t)~ntohs(ip.check);
  sum += (uint32_t)(ECN - (ip.tos & ECN));
  sum = (sum & 0xffff) + (sum >> 16);
  ip.tos |= ECN;
  ip.check = htons((uint16_t)~sum);
  memcpy(packet, &ip, sizeof ip);
  return true;
}

/* The two bits are the last of the traffic class, which begins in the first octet's second half. */
static bool frame_mark_ipv6(uint8_t *packet, size_t size) {
  enum { SHIFT = 4 };
  if (size < sizeof(struct ip6_hdr)) return false;
  if ((packet[1] >> SHIFT & ECN) == NOT_CAPABLE) return false;
  packet[1] |= ECN << SHIFT;
  return true;
}

bool frame_mark(uint8_t *frame, size_t length) {
  switch (frame_ethertype(frame, length)) {
  case ETHERTYPE_IP: return frame_mark_ipv4(frame + ETHERNET, length - ETHERNET);
  case ETHERTYPE_IPV6: return frame_mark_ipv6(frame + ETHERNET, length - ETHERNET);
  default: return false;
  }
}
