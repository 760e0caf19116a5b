#include "platform/clock.h"

#include <time.h>

static int64_t clock_read_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now); /* cannot fail with these clocks */
  return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

uint64_t clock_now_ns(void) { return (uint64_t)clock_read_ns(CLOCK_MONOTONIC); }
int64_t clock_wall_now_ns(void) { return clock_read_ns(CLOCK_REALTIME); }
uint64_t clock_spent_ns(void) { return (uint64_t)clock_read_ns(CLOCK_THREAD_CPUTIME_ID); }
