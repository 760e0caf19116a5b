#include "platform/clock.h"

#include <stdbool.h>

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

/* Reads the wall clock between two readings of the other. */
struct clock_offset clock_measure_offset(void) {
  uint64_t before_ns = clock_now_ns();
  int64_t wall_ns = clock_wall_now_ns();
  uint64_t half_ns = (clock_now_ns() - before_ns) / 2;
  return (struct clock_offset){(int64_t)(before_ns + half_ns) - wall_ns, half_ns + 1};
}

struct clock_offset clock_choose_offset(struct clock_offset kept, struct clock_offset later) {
  int64_t apart_ns = later.ns > kept.ns ? later.ns - kept.ns : kept.ns - later.ns;
  bool was_set = (uint64_t)apart_ns > kept.error_ns + later.error_ns;
  return was_set || later.error_ns <= kept.error_ns / 2 ? later : kept;
}
