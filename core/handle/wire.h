/* A wire is a link of two hosts whose frames lunet forwards: late, or by chance not at all. It is a
 * handle (scope.h), and also ends with either host. Its close takes the interfaces away from both
 * hosts. Frames on the way are lost.
 *
 * Each host has one end of a veth pair. The other ends lie in a namespace of the wire's own, which
 * has no addresses. There the loop reads the frames and sends each one on at its time, in order.
 * Shortly before that time the loop stops sleeping. While the loop does not run, frames wait; they
 * are late if that takes longer than their delay. */
#ifndef LUNET_HANDLE_WIRE_H
#define LUNET_HANDLE_WIRE_H

#include <stdint.h>

#include "handle/chance.h"
#include "handle/host.h"
#include "handle/lane.h"
#include "handle/loop.h"

typedef struct wire wire;

struct wire_end {
  const host *host;
  const char *interface;         /* its name there; the wire makes it */
  struct chance_settings chance; /* for the frames that this host sends */
};

/* Where chance is wanted, the hosts send single segments with whole checksums. Otherwise one frame
 * may be a piece of up to 64 KiB, to be cut later. 0 or a negative errno. */
int wire_open(loop *lp, scope *s, const struct wire_end ends[2], uint64_t seed, wire **out);

/* From now on the hosts send single segments with whole checksums. 0 or a negative errno. */
int wire_cut_into_segments(wire *w);

hands *wire_hands(const wire *w);

/* The held frame of this number goes on. */
void wire_release(wire *w, size_t number);

/* An IP packet enters the wire as if this host (0 or 1) had sent it. 0 or a negative errno. */
int wire_inject(wire *w, int from, const void *packet, size_t size);

/* Loses every frame that this host sends, the resolution of addresses among them. */
void wire_swallow(wire *w, int from, bool on);

/* Takes the carrier of a host's end away, or gives it back; addresses stay. 0 or a negative errno.
 */
int wire_plug(wire *w, int end, bool on);

/* Whether the wire's inner ends let packets pass; the caller asks the hosts for theirs. 1, 0 or a
 * negative errno. */
int wire_is_up(const wire *w);

/* Also of a closed wire. */
const lane *wire_lane(const wire *w, int from); /* the direction in which this host sends: 0 or 1 */
uint64_t wire_unread(wire *w); /* frames that came faster than the loop read them */

#endif
