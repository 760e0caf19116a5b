/* The TCP connections that a namespace tracks for its firewall: nf_conntrack, by nfnetlink. */
#ifndef LUNET_PLATFORM_TRACKED_H
#define LUNET_PLATFORM_TRACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

struct tracked {
  address from, to;             /* of its first segment */
  address reply_from, reply_to; /* of replies; other than `to` and `from` after a translation */
  const char *state;            /* "ESTABLISHED", ... */
  uint32_t seconds;             /* until it is forgotten */
  bool replied, assured;
};

/* Free it with free(3). */
struct tracked_list {
  struct tracked *all;
  size_t count, room;
};

/* ns: -1 for the home host's. 0 or a negative errno. Free `all` in any case. */
int tracked_read(int ns, struct tracked_list *out);

#endif
