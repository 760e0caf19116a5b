#include "handle/segment_filter.h"

#include <string.h>

static unsigned segment_filter_kinds(const struct segment *s) {
  enum { OPENING = SEGMENT_SYN | SEGMENT_ACK, ENDING = SEGMENT_FIN | SEGMENT_RST };
  unsigned kinds = KIND_ANY, opening = s->flags & OPENING;
  if (opening == SEGMENT_SYN) kinds |= KIND_SYN;
  if (opening == OPENING) kinds |= KIND_SYN_ACK;
  if (s->flags & SEGMENT_FIN) kinds |= KIND_FIN;
  if (s->flags & SEGMENT_RST) kinds |= KIND_RST;
  if (s->bytes > 0) kinds |= KIND_DATA;
  if (opening == SEGMENT_ACK && !(s->flags & ENDING) && s->bytes == 0) kinds |= KIND_ACK;
  return kinds;
}

static bool segment_filter_takes_end(const struct network_filter *f, const struct segment *s,
                                     const uint8_t *bytes) {
  if (f->bits < 0) return true;
  address a = address_of_bytes(s->is_ipv6 ? AF_INET6 : AF_INET, bytes, 0);
  return address_shares(&a, &f->address, f->bits);
}

static bool segment_filter_matches_ends(const struct segment_filter *f, const struct segment *s) {
  return segment_filter_takes_end(&f->from, s, s->from) &&
         segment_filter_takes_end(&f->to, s, s->to) &&
         (f->from_port == 0 || f->from_port == s->from_port) &&
         (f->to_port == 0 || f->to_port == s->to_port) &&
         (f->port == 0 || f->port == s->from_port || f->port == s->to_port);
}

static bool segment_filter_matches_data(const struct segment_filter *f, const struct segment *s,
                                        const uint8_t *payload) {
  if (f->has_sequence && f->sequence != s->sequence) return false;
  return f->data == NULL || memmem(payload, s->bytes, f->data, f->data_length) != NULL;
}

bool segment_filter_is_done(const struct segment_filter *f) {
  return f->first > 0 && f->taken >= f->first;
}

bool segment_filter_takes(struct segment_filter *f, unsigned way, const struct segment *s,
                          const uint8_t *payload) {
  if (!f->ways[way] || segment_filter_is_done(f)) return false;
  if (!(f->kinds & segment_filter_kinds(s)) || !segment_filter_matches_ends(f, s)) return false;
  if (!segment_filter_matches_data(f, s, payload)) return false;
  uint64_t number = f->seen++;
  if (number < f->skip || (number - f->skip) % f->every != 0) return false;
  f->taken++;
  return true;
}
