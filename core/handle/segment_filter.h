/* A filter says which TCP segments a hand on a wire is for. */
#ifndef LUNET_HANDLE_SEGMENT_FILTER_H
#define LUNET_HANDLE_SEGMENT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"
#include "platform/segment.h"

/* Kinds of segments, as in the rules of hosts; one segment may be of several. */
enum segment_kind {
  KIND_ANY = 1,
  KIND_SYN = 2, /* without ACK */
  KIND_SYN_ACK = 4,
  KIND_FIN = 8,
  KIND_RST = 16,
  KIND_DATA = 32, /* has at least a byte of payload */
  KIND_ACK = 64,  /* bare */
};

/* Addresses that share `bits` with this one. */
struct network_filter {
  address address;
  int bits; /* negative: any address */
};

struct segment_filter {
  bool ways[2]; /* of the wire */
  struct network_filter from, to;
  uint16_t from_port, to_port, port; /* 0: any */
  unsigned kinds;                    /* of enum segment_kind */
  bool has_sequence;
  uint32_t sequence; /* of the segment's first byte, as in the header */
  const char *data;  /* a part of the payload; NULL: any */
  size_t data_length;
  uint64_t skip, every, first; /* passes `skip` matches, takes each `every`-th, `first` at most */
  uint64_t seen, taken;        /* so far */
};

/* Whether the filter takes this segment, on this way of the wire. Counts it. `payload` is the
 * segment's data. */
bool segment_filter_takes(struct segment_filter *f, unsigned way, const struct segment *s,
                          const uint8_t *payload);

/* Whether it will take no more. */
bool segment_filter_is_done(const struct segment_filter *f);

#endif
