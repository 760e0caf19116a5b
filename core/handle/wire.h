/* A wire is a handle (scope.h), which ends with either of its hosts, too. Its close takes the
 * interfaces away from both hosts; what is under way is lost.
 *
 * It is a link of two hosts on which every frame takes its time. Each host has one end of a veth
 * pair; the other ends lie in a namespace of the wire's own, which has no addresses. There the loop
 * reads each frame and sends it on, in order, when its time has come; shortly before, it stops
 * sleeping. Nothing moves while the loop does not run: frames wait, and are late if that takes
 * longer than their delay. */
#ifndef LUNET_HANDLE_WIRE_H
#define LUNET_HANDLE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handle/host.h"
#include "handle/loop.h"

typedef struct wire wire;

struct wire_end {
  const host *host;
  const char *interface; /* its name there; made by the wire */
  uint64_t delay_ns;     /* of what this host sends */
};

struct wire_statistics {
  uint64_t forwarded; /* frames that were sent on */
  uint64_t dropped;   /* frames that were not */
  uint64_t late_ns;   /* of all that were forwarded together: sent on later than they should */
  uint64_t late_most_ns;
};

/* `capacity`: how many bytes may be under way in each direction; what exceeds it is dropped. */
int wire_open(loop *lp, scope *s, const struct wire_end ends[2], size_t capacity, wire **out);

/* Whether the wire's own ends let packets pass; those of the hosts are theirs to ask. 1, 0 or a
 * negative errno. */
int wire_is_up(const wire *w);

void wire_read_statistics(wire *w, struct wire_statistics *out); /* also when it is closed */

#endif
