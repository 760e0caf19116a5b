/* The one clock: CLOCK_MONOTONIC in nanoseconds. timerfd deadlines, trace times and `lunet.now()`
 * all read it, so that their times compare. Only times that come from the kernel or go to other
 * programs use the wall clock. */
#ifndef LUNET_PLATFORM_CLOCK_H
#define LUNET_PLATFORM_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_MS = 1000 * 1000, CLOCK_S = 1000 * CLOCK_MS }; /* in nanoseconds */

uint64_t clock_now_ns(void);
int64_t clock_wall_now_ns(void); /* since 1970; jumps when somebody sets the clock */

/* The processor time that this thread has used. */
uint64_t clock_spent_ns(void);

struct timespec clock_timespec(uint64_t ns);
int64_t clock_ns(struct timespec t);

#endif
