#include "platform/clock.h"

struct timespec clock_timespec(uint64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / CLOCK_S), .tv_nsec = (long)(ns % CLOCK_S)};
}

int64_t clock_ns(struct timespec t) { return t.tv_sec * (int64_t)CLOCK_S + t.tv_nsec; }

static int64_t clock_read_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now); /* cannot fail with these clocks */
  return clock_ns(now);
}

uint64_t clock_now_ns(void) { return (uint64_t)clock_read_ns(CLOCK_MONOTONIC); }
int64_t clock_wall_now_ns(void) { return clock_read_ns(CLOCK_REALTIME); }
uint64_t clock_spent_ns(void) { return (uint64_t)clock_read_ns(CLOCK_THREAD_CPUTIME_ID); }
