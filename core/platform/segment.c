#include "platform/segment.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

/* A plain data segment has "ACK", a segment without flags "". */
const char *segment_flags(uint8_t flags, char text[SEGMENT_FLAGS_TEXT]) {
  static const struct {
    uint8_t flag;
    const char *name;
  } names[] = {{SEGMENT_SYN, "SYN"}, {SEGMENT_FIN, "FIN"}, {SEGMENT_RST, "RST"},
               {SEGMENT_PSH, "PSH"}, {SEGMENT_ACK, "ACK"}, {SEGMENT_URG, "URG"}};
  text[0] = '\0';
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!(flags & names[i].flag)) continue;
    if (text[0] != '\0') strcat(text, ",");
    strcat(text, names[i].name);
  }
  return text;
}

/* Where the header behind the IP header begins, and its protocol. */
struct inner {
  size_t at;
  uint8_t protocol;
};

static bool segment_read_ipv4(const uint8_t *packet, size_t size, struct segment *s,
                              struct inner *in) {
  struct iphdr ip;
  if (size < sizeof ip) return false;
  memcpy(&ip, packet, sizeof ip);
  memcpy(s->from, &ip.saddr, sizeof ip.saddr);
  memcpy(s->to, &ip.daddr, sizeof ip.daddr);
  s->length = ntohs(ip.tot_len);
  *in = (struct inner){ip.ihl * 4u, ip.protocol};
  return (ntohs(ip.frag_off) & IP_OFFMASK) == 0; /* only the first fragment has the header */
}

static bool segment_read_ipv6(const uint8_t *packet, size_t size, struct segment *s,
                              struct inner *in) {
  struct ip6_hdr ip;
  if (size < sizeof ip) return false;
  memcpy(&ip, packet, sizeof ip);
  memcpy(s->from, &ip.ip6_src, sizeof ip.ip6_src);
  memcpy(s->to, &ip.ip6_dst, sizeof ip.ip6_dst);
  s->is_ipv6 = true;
  s->length = (uint32_t)sizeof ip + ntohs(ip.ip6_plen);
  *in = (struct inner){sizeof ip, ip.ip6_nxt};
  return true;
}

static bool segment_read_ip(const uint8_t *packet, size_t size, uint16_t ethertype,
                            struct segment *s, struct inner *in) {
  bool is_ip = ethertype == ETHERTYPE_IP     ? segment_read_ipv4(packet, size, s, in)
               : ethertype == ETHERTYPE_IPV6 ? segment_read_ipv6(packet, size, s, in)
                                             : false;
  return is_ip && size >= in->at;
}

static bool segment_read_tcp(const uint8_t *packet, size_t size, struct segment *s, size_t at) {
  struct tcphdr tcp;
  if (size - at < sizeof tcp) return false;
  memcpy(&tcp, packet + at, sizeof tcp);
  s->from_port = ntohs(tcp.source);
  s->to_port = ntohs(tcp.dest);
  s->sequence = ntohl(tcp.seq);
  s->acknowledgement = ntohl(tcp.ack_seq);
  s->window = ntohs(tcp.window);
  s->flags = tcp.th_flags;
  size_t headers = at + tcp.doff * 4u;
  s->bytes = s->length > headers ? s->length - (uint32_t)headers : 0;
  return true;
}

bool segment_read(const uint8_t *packet, size_t size, uint16_t ethertype, struct segment *s) {
  struct inner in;
  return segment_read_ip(packet, size, ethertype, s, &in) && in.protocol == IPPROTO_TCP &&
         segment_read_tcp(packet, size, s, in.at);
}

static uint32_t segment_number(const uint8_t *bytes, size_t length) {
  uint32_t number = 0;
  for (size_t i = 0; i < length; i++) number = number << 8 | bytes[i];
  return number;
}

static void segment_take_cookie(const uint8_t *data, size_t length, struct segment_options *out) {
  out->has_cookie = length <= sizeof out->cookie;
  out->cookie_length = out->has_cookie ? (uint8_t)length : 0;
  memcpy(out->cookie, data, out->cookie_length);
}

static void segment_take_option(uint8_t kind, const uint8_t *data, size_t length,
                                struct segment_options *out) {
  enum { FAST_OPEN = 34 }; /* RFC 7413; netinet/tcp.h lacks it */
  if (kind == TCPOPT_MAXSEG && length == sizeof out->mss) {
    out->has_mss = true;
    out->mss = (uint16_t)segment_number(data, length);
  } else if (kind == TCPOPT_WINDOW && length == sizeof out->scale) {
    out->has_scale = true;
    out->scale = *data;
  } else if (kind == TCPOPT_SACK_PERMITTED) {
    out->sack_permitted = true;
  } else if (kind == TCPOPT_TIMESTAMP && length == 2 * sizeof out->echo) {
    out->has_timestamps = true;
    out->timestamp = segment_number(data, sizeof out->timestamp);
    out->echo = segment_number(data + sizeof out->timestamp, sizeof out->echo);
  } else if (kind == FAST_OPEN) {
    segment_take_cookie(data, length, out);
  }
}

void segment_read_options(const struct segment *s, struct segment_options *out) {
  enum { FIXED = sizeof(struct tcphdr), KIND_AND_LENGTH = 2, WORD = 4, HALF_OCTET = 4 };
  *out = (struct segment_options){.has_mss = false};
  size_t at = s->is_ipv6 ? sizeof(struct ip6_hdr) : (s->packet[0] & 0xf) * (size_t)WORD;
  if (s->captured < at + FIXED) return;
  size_t end = at + (s->packet[at + 12] >> HALF_OCTET) * (size_t)WORD; /* the data offset */
  if (end > s->captured) end = s->captured;
  for (at += FIXED; at < end && s->packet[at] != TCPOPT_EOL;) {
    uint8_t kind = s->packet[at];
    if (kind == TCPOPT_NOP) {
      at++;
      continue;
    }
    size_t length = at + 1 < end ? s->packet[at + 1] : 0;
    if (length < KIND_AND_LENGTH || at + length > end) return;
    segment_take_option(kind, s->packet + at + KIND_AND_LENGTH, length - KIND_AND_LENGTH, out);
    at += length;
  }
}

static bool segment_read_udp(const uint8_t *packet, size_t size, struct segment *s, size_t at) {
  struct udphdr udp;
  if (size - at < sizeof udp) return false;
  memcpy(&udp, packet + at, sizeof udp);
  s->from_port = ntohs(udp.source);
  s->to_port = ntohs(udp.dest);
  s->bytes = s->length > at + sizeof udp ? s->length - (uint32_t)(at + sizeof udp) : 0;
  return true;
}

bool segment_read_ends(const uint8_t *packet, size_t size, uint16_t ethertype, struct segment *s) {
  struct inner in;
  if (!segment_read_ip(packet, size, ethertype, s, &in)) return false;
  return in.protocol == IPPROTO_TCP   ? segment_read_tcp(packet, size, s, in.at)
         : in.protocol == IPPROTO_UDP ? segment_read_udp(packet, size, s, in.at)
                                      : false;
}
