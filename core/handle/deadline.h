/* Absolute deadlines of nanosecond grain, which never fire early: one binary heap, one timerfd.
 * libuv's timers have millisecond grain, use a cached time, and fire up to 0.9 ms early. */
#ifndef LUNET_HANDLE_DEADLINE_H
#define LUNET_HANDLE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "handle/watch.h"

typedef struct deadlines deadlines;

#define DEADLINE_NEVER UINT64_MAX
#define DEADLINE_POLL 0 /* end at once instead of waiting */

/* Everything that has a deadline embeds one. */
typedef struct deadline {
  uint64_t at_ns; /* absolute, on clock_now_ns() */
  uint32_t slot;  /* in the heap; 0: none */
} deadline;

/* Calls `passed` for each deadline that has passed. `passed` must remove the deadline. 0 or a
 * negative errno. */
int deadlines_open(watches *ws, void (*passed)(deadline *d), deadlines **out);
void deadlines_close(deadlines *ds);

/* Keeps the processor awake for all later deadlines (platform/awake.h). Starts a thread, so call it
 * only when the process makes no user namespace any more. */
void deadlines_stay_awake(deadlines *ds);

/* Makes deadlines_stay_awake do nothing from now on: deadlines are later, and take no processor
 * time before they are due. */
void deadlines_let_sleep(deadlines *ds);

int deadlines_add(deadlines *ds, deadline *d);
void deadlines_remove(deadlines *ds, deadline *d); /* harmless if it is not in the heap */

/* The longest time that a poll may take, in ms. Usually -1, without limit, since the timer ends the
 * poll. A limit if the kernel has refused to set the timer. */
int deadlines_bound_ms(const deadlines *ds);

bool deadlines_are_due(const deadlines *ds); /* the last poll has reported the timer */

/* Calls `passed` for every deadline that is due. Call it after the poll: an op whose descriptor
 * became ready in the same poll then ends with its data. */
void deadlines_expire(deadlines *ds);

#endif
