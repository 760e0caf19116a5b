/* Absolute deadlines of nanosecond grain that never fire early: one binary heap, one timerfd.
 * libuv's timers have millisecond grain, go by a cached time, and fire up to 0.9 ms early. */
#ifndef LUNET_HANDLE_DEADLINE_H
#define LUNET_HANDLE_DEADLINE_H

#include "handle/loop.h"

int deadlines_open(loop *lp, deadlines **out);
void deadlines_close(deadlines *d);

/* From now on they find the processor awake. By a thread: only once the process needs to make no
 * user namespace any more. */
void deadlines_stay_awake(deadlines *d);

int deadlines_add(deadlines *d, op *o); /* by o->deadline_ns */
void deadlines_remove(deadlines *d, op *o);

/* How long a poll may take at most, in ms: -1 for ever, since the timer ends it; but not where the
 * kernel has refused to set that. */
int deadlines_bound_ms(const deadlines *d);

bool deadlines_are_due(const deadlines *d); /* the last poll told that the first one has passed */

/* Ends with OP_TIMEOUT every op that is due. Called after polling, so that an op whose descriptor
 * became ready in the same poll ends with its data instead. */
void deadlines_expire(deadlines *d);

#endif
