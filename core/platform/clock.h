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

/* The offset from the wall clock to the monotonic one, and by how much it may be off. */
struct clock_offset {
  int64_t ns;
  uint64_t error_ns;
};

#define CLOCK_ERROR_UNKNOWN (UINT64_MAX / 4) /* of an offset that nobody has measured */

struct clock_offset clock_measure_offset(void);

/* Which of two offsets to go on with: the one that was kept, unless a later one is at least twice
 * as close, or shows that somebody has set the clock since. */
struct clock_offset clock_choose_offset(struct clock_offset kept, struct clock_offset later);

/* The processor time that this thread has used. */
uint64_t clock_spent_ns(void);

struct timespec clock_timespec(uint64_t ns);
int64_t clock_ns(struct timespec t);

#endif
