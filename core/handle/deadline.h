/* Absolute deadlines of nanosecond grain that never fire early: one binary heap, one timerfd.
 * libuv's timers have millisecond grain, go by a cached time, and fire up to 0.9 ms early. */
#ifndef LUNET_HANDLE_DEADLINE_H
#define LUNET_HANDLE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "handle/watch.h"

typedef struct deadlines deadlines;

#define DEADLINE_NEVER UINT64_MAX
#define DEADLINE_POLL 0 /* do not wait at all */

/* Part of each struct that can be late. */
typedef struct deadline {
  uint64_t at_ns; /* absolute, on clock_now_ns() */
  uint32_t slot;  /* its place in the heap; 0: none */
} deadline;

/* `passed` is called with each deadline that has passed, which is out of the heap by then or takes
 * itself out. */
int deadlines_open(watches *ws, void (*passed)(deadline *d), deadlines **out);
void deadlines_close(deadlines *ds);

/* From now on they find the processor awake. By a thread: only once the process needs to make no
 * user namespace any more. */
void deadlines_stay_awake(deadlines *ds);

int deadlines_add(deadlines *ds, deadline *d);
void deadlines_remove(deadlines *ds, deadline *d); /* harmless if it is not there */

/* How long a poll may take at most, in ms: -1 for ever, since the timer ends it; but not where the
 * kernel has refused to set that. */
int deadlines_bound_ms(const deadlines *ds);

bool deadlines_are_due(const deadlines *ds); /* the last poll told that the first one has passed */

/* Calls `passed` for every deadline that is due. Called after polling, so that an op whose
 * descriptor became ready in the same poll ends with its data instead. */
void deadlines_expire(deadlines *ds);

#endif
