/* The one clock: CLOCK_MONOTONIC in nanoseconds. timerfd deadlines, trace times and `lunet.now()`
 * all read it, so they can be compared. */
#ifndef LUNET_PLATFORM_CLOCK_H
#define LUNET_PLATFORM_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ns(void);

#endif
