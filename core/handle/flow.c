#include "handle/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct flow {
  uint8_t from[16], to[16];
  uint16_t from_port, to_port;
  bool is_ipv6, is_known;
  uint32_t next;
};

enum { PLACES = 256 };

struct flows {
  struct flow places[PLACES];
};

int flows_open(flows **out) {
  *out = calloc(1, sizeof **out);
  return *out == NULL ? -ENOMEM : 0;
}

void flows_close(flows *f) { free(f); }

/* FNV-1a over the ends (draft-eastlake-fnv). */
static uint32_t flow_hash(const struct segment *s) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < sizeof s->from; i++)
    hash = (hash ^ s->from[i] ^ s->to[i] << 4) * 16777619u;
  hash = (hash ^ s->from_port) * 16777619u;
  hash = (hash ^ s->to_port) * 16777619u;
  return hash ^ hash >> 16;
}

static bool flow_is_of(const struct flow *f, const struct segment *s) {
  return f->is_known && f->from_port == s->from_port && f->to_port == s->to_port &&
         f->is_ipv6 == s->is_ipv6 && memcmp(f->from, s->from, sizeof f->from) == 0 &&
         memcmp(f->to, s->to, sizeof f->to) == 0;
}

static uint32_t flow_end(const struct segment *s) {
  return s->sequence + s->bytes + ((s->flags & SEGMENT_SYN) != 0) + ((s->flags & SEGMENT_FIN) != 0);
}

void flows_follow(flows *f, const struct segment *s) {
  struct flow *place = &f->places[flow_hash(s) % PLACES];
  uint32_t end = flow_end(s);
  bool is_new = !flow_is_of(place, s) || s->flags & SEGMENT_SYN;
  if (!is_new) {
    if ((int32_t)(end - place->next) > 0) place->next = end;
    return;
  }
  *place = (struct flow){.from_port = s->from_port,
                         .to_port = s->to_port,
                         .is_ipv6 = s->is_ipv6,
                         .is_known = true,
                         .next = end};
  memcpy(place->from, s->from, sizeof place->from);
  memcpy(place->to, s->to, sizeof place->to);
}

bool flows_next(const flows *f, const struct segment *s, uint32_t *next) {
  const struct flow *place = &f->places[flow_hash(s) % PLACES];
  *next = place->next;
  return flow_is_of(place, s);
}
