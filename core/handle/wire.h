/* A wire is a link of two hosts that delays every frame. It is a handle (scope.h), and also ends
 * with either host. Its close takes the interfaces away from both hosts. Frames on the way are
 * lost.
 *
 * Each host has one end of a veth pair. The other ends lie in a namespace of the wire's own, which
 * has no addresses. There the loop reads the frames and sends each one on at its time, in order.
 * Shortly before that time the loop stops sleeping. While the loop does not run, frames wait; they
 * are late if that takes longer than their delay. */
#ifndef LUNET_HANDLE_WIRE_H
#define LUNET_HANDLE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "handle/host.h"
#include "handle/loop.h"

typedef struct wire wire;

struct wire_end {
  const host *host;
  const char *interface; /* its name there; the wire makes it */
  uint64_t delay_ns;     /* for the frames that this host sends */
};

struct wire_statistics {
  uint64_t forwarded, dropped; /* frames */
  uint64_t late_ns;            /* the sum over all forwarded frames */
  uint64_t late_most_ns;
};

/* `capacity`: the bytes that may be on the way in each direction. The wire drops frames beyond it.
 * 0 or a negative errno. */
int wire_open(loop *lp, scope *s, const struct wire_end ends[2], size_t capacity, wire **out);

/* Whether the wire's inner ends let packets pass; the caller asks the hosts for theirs. 1, 0 or a
 * negative errno. */
int wire_is_up(const wire *w);

void wire_read_statistics(wire *w, struct wire_statistics *out); /* also of a closed wire */

#endif
