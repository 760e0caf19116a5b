/* The one clock: CLOCK_MONOTONIC in nanoseconds. timerfd deadlines, trace times and `lunet.now()`
 * all read it, so they can be compared. The wall clock is only for what others go by. */
#ifndef LUNET_PLATFORM_CLOCK_H
#define LUNET_PLATFORM_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ns(void);
int64_t clock_wall_now_ns(void); /* since 1970. It may be set: then it jumps */

/* The processor time that this thread has had. */
uint64_t clock_spent_ns(void);

#endif
