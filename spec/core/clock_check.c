/* Nanoseconds and struct timespec, and which clock each reading is of. */
#include "platform/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "check.h"

TEST(convert_nanoseconds_both_ways) {
  static const uint64_t times[] = {0, 1, CLOCK_S - 1, CLOCK_S, UINT64_C(1700000000123456789)};
  for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
    struct timespec t = clock_timespec(times[i]);
    assert_in_range(t.tv_nsec, 0, CLOCK_S - 1);
    assert_true(clock_ns(t) == (int64_t)times[i]);
  }
}

TEST(have_times_before_the_epoch) {
  struct timespec t = {.tv_sec = -1, .tv_nsec = CLOCK_S - 1};
  assert_true(clock_ns(t) == -1);
}

static const uint64_t HOUR = UINT64_C(3600) * CLOCK_S;

static uint64_t ns_of(clockid_t clock) {
  struct timespec t;
  assert_int_equal(clock_gettime(clock, &t), 0);
  return (uint64_t)clock_ns(t);
}

/* A reading lies between two readings of the same clock. */
TEST(read_the_clock_that_they_name) {
  uint64_t before = ns_of(CLOCK_MONOTONIC), now = clock_now_ns();
  assert_in_range(now, before, ns_of(CLOCK_MONOTONIC));
  now = (uint64_t)clock_wall_now_ns(),
  before = ns_of(CLOCK_REALTIME); /* it may jump between them */
  assert_in_range(now, before - HOUR, before + HOUR);
}

static void *compute_a_while(void *unused) {
  while (ns_of(CLOCK_THREAD_CPUTIME_ID) < 20 * CLOCK_MS) continue;
  return unused;
}

TEST(count_the_time_of_this_thread_alone) {
  pthread_t other;
  assert_int_equal(pthread_create(&other, NULL, compute_a_while, NULL), 0);
  assert_int_equal(pthread_join(other, NULL), 0);
  uint64_t before = ns_of(CLOCK_THREAD_CPUTIME_ID), now = clock_spent_ns();
  assert_in_range(now, before, ns_of(CLOCK_THREAD_CPUTIME_ID));
}

static bool is_chosen(struct clock_offset kept, struct clock_offset later) {
  struct clock_offset chosen = clock_choose_offset(kept, later);
  return chosen.ns == later.ns && chosen.error_ns == later.error_ns;
}

TEST(keep_an_offset_that_may_be_right) {
  struct clock_offset kept = {-1000000, 100};
  assert_false(is_chosen(kept, (struct clock_offset){-999900, 51}));
  assert_false(is_chosen(kept, (struct clock_offset){-1000099, 60}));
  assert_false(is_chosen(kept, (struct clock_offset){-900000, 5000000})); /* stopped in between */
}

TEST(take_an_offset_that_is_twice_as_close) {
  assert_true(is_chosen((struct clock_offset){-1000000, 100}, (struct clock_offset){-999950, 50}));
  assert_true(is_chosen((struct clock_offset){0, CLOCK_ERROR_UNKNOWN},
                        (struct clock_offset){-(INT64_C(1) << 61), 100}));
}

TEST(take_the_offset_of_a_clock_that_was_set) {
  struct clock_offset kept = {-1000000, 100};
  assert_true(is_chosen(kept, (struct clock_offset){-900000, 5000}));
  assert_true(is_chosen(kept, (struct clock_offset){-1100000, 5000}));
}

TEST(measure_an_offset_that_leads_from_one_clock_to_the_other) {
  struct clock_offset offset = clock_measure_offset();
  uint64_t before = ns_of(CLOCK_MONOTONIC);
  uint64_t now = (uint64_t)(clock_wall_now_ns() + offset.ns);
  uint64_t after = ns_of(CLOCK_MONOTONIC);
  assert_in_range(now, before - offset.error_ns, after + offset.error_ns);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(convert_nanoseconds_both_ways),
    cmocka_unit_test(have_times_before_the_epoch),
    cmocka_unit_test(read_the_clock_that_they_name),
    cmocka_unit_test(count_the_time_of_this_thread_alone),
    cmocka_unit_test(keep_an_offset_that_may_be_right),
    cmocka_unit_test(take_an_offset_that_is_twice_as_close),
    cmocka_unit_test(take_the_offset_of_a_clock_that_was_set),
    cmocka_unit_test(measure_an_offset_that_leads_from_one_clock_to_the_other),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
