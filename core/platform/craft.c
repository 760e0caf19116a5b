#include "platform/craft.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

enum { HOPS = 64, WORD = 4, IP6_VERSION = 0x60000000 };

/* The sum of the Internet checksum (RFC 1071), not yet folded. */
static uint32_t craft_add(uint32_t sum, const void *bytes, size_t length) {
  const uint8_t *b = bytes;
  for (size_t i = 0; i < length; i++) sum += i % 2 == 0 ? (uint32_t)b[i] << 8 : b[i];
  return sum;
}

static uint16_t craft_fold(uint32_t sum) {
  while (sum > UINT16_MAX) sum = (sum & UINT16_MAX) + (sum >> 16);
  return htons((uint16_t)~sum);
}

static size_t craft_ipv4(const uint8_t *from, const uint8_t *to, uint8_t protocol, size_t length,
                         uint8_t *packet) {
  struct iphdr ip = {.version = IPVERSION,
                     .ihl = sizeof ip / WORD,
                     .tot_len = htons((uint16_t)(sizeof ip + length)),
                     .frag_off = htons(IP_DF),
                     .ttl = HOPS,
                     .protocol = protocol};
  memcpy(&ip.saddr, from, sizeof ip.saddr);
  memcpy(&ip.daddr, to, sizeof ip.daddr);
  ip.check = craft_fold(craft_add(0, &ip, sizeof ip));
  memcpy(packet, &ip, sizeof ip);
  return sizeof ip;
}

static size_t craft_ipv6(const uint8_t *from, const uint8_t *to, uint8_t protocol, size_t length,
                         uint8_t *packet) {
  struct ip6_hdr ip = {.ip6_flow = htonl(IP6_VERSION),
                       .ip6_plen = htons((uint16_t)length),
                       .ip6_nxt = protocol,
                       .ip6_hlim = HOPS};
  memcpy(&ip.ip6_src, from, sizeof ip.ip6_src);
  memcpy(&ip.ip6_dst, to, sizeof ip.ip6_dst);
  memcpy(packet, &ip, sizeof ip);
  return sizeof ip;
}

/* Sums the content and its pseudo header (RFC 9293, 3.1; RFC 4443, 2.3). Both ends count, whichever
 * of them sends. */
static uint16_t craft_checksum(const struct segment *s, uint8_t protocol, const uint8_t *content,
                               size_t length) {
  size_t address = s->is_ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
  uint32_t sum = protocol + (uint32_t)length;
  sum = craft_add(craft_add(sum, s->from, address), s->to, address);
  return craft_fold(craft_add(sum, content, length));
}

size_t craft_segment(const struct segment *s, const void *data, size_t length, bool is_wrong,
                     uint8_t *packet) {
  struct tcphdr tcp = {.source = htons(s->from_port),
                       .dest = htons(s->to_port),
                       .seq = htonl(s->sequence),
                       .ack_seq = htonl(s->acknowledgement),
                       .doff = sizeof tcp / WORD,
                       .window = htons(s->window)};
  size_t size = sizeof tcp + length;
  tcp.th_flags = s->flags;
  size_t at = (s->is_ipv6 ? craft_ipv6 : craft_ipv4)(s->from, s->to, IPPROTO_TCP, size, packet);
  memcpy(packet + at, &tcp, sizeof tcp);
  memcpy(packet + at + sizeof tcp, data, length);
  tcp.check = craft_checksum(s, IPPROTO_TCP, packet + at, size);
  if (is_wrong) tcp.check ^= 1;
  memcpy(packet + at, &tcp, sizeof tcp);
  return at + size;
}

size_t craft_icmp(const struct segment *s, const struct craft_error *error, const uint8_t *quoted,
                  size_t size, uint8_t *packet) {
  /* Both protocols: type, code, checksum, and a word whose lower half is the MTU. */
  uint8_t header[8] = {error->type, error->code};
  uint16_t mtu = htons(error->mtu);
  memcpy(header + 6, &mtu, sizeof mtu);
  size_t length = sizeof header + size;
  size_t at = s->is_ipv6 ? craft_ipv6(s->to, s->from, IPPROTO_ICMPV6, length, packet)
                         : craft_ipv4(s->to, s->from, IPPROTO_ICMP, length, packet);
  memcpy(packet + at, header, sizeof header);
  memcpy(packet + at + sizeof header, quoted, size);
  uint16_t sum = s->is_ipv6 ? craft_checksum(s, IPPROTO_ICMPV6, packet + at, length)
                            : craft_fold(craft_add(0, packet + at, length));
  memcpy(packet + at + 2, &sum, sizeof sum);
  return at + length;
}
