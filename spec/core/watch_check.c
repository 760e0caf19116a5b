/* The loop reports each event of a descriptor once, to the op that watches it, and to nobody once
 * the descriptor is closed. */
#include "handle/watch.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "handle/loop.h"

enum { MANY = 3000 }; /* more than one call of the kernel's gives */

#define BOTH (WATCH_READABLE | WATCH_WRITABLE)

static loop *lp;
static int calls, events_told;

static void count_call(void *owner, int events) {
  calls++;
  events_told = events & BOTH;
  *(int *)owner += 1;
}

static int poll_once(void) {
  calls = events_told = 0;
  loop_step(lp, false);
  return calls;
}

static void add(int fd) {
  uint64_t one = 1;
  assert_true(write(fd, &one, sizeof one) == sizeof one);
}

static void open_pair(int ends[2]) {
  assert_true(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
}

static void close_both(const int ends[2]) {
  watch_end(loop_watches(lp), ends[0]);
  close(ends[0]);
  close(ends[1]);
}

TEST(each_event_is_told_once) {
  int owner = 0, fd = eventfd(0, EFD_NONBLOCK);
  assert_true(watch_begin(loop_watches(lp), fd, WATCH_READABLE, count_call, &owner) == 0);
  assert_true(poll_once() == 0);
  add(fd);
  assert_true(poll_once() == 1 && events_told == WATCH_READABLE);
  assert_true(poll_once() == 0); /* though nobody has read it */
  watch_again(loop_watches(lp), fd);
  assert_true(poll_once() == 1);
  assert_true(watch_begin(loop_watches(lp), fd, WATCH_READABLE, count_call, &owner) ==
              0); /* as before */
  assert_true(poll_once() == 0);
  assert_true(watch_begin(loop_watches(lp), fd, WATCH_WRITABLE, count_call, &owner) ==
              0); /* also */
  assert_true(poll_once() == 1 && events_told == BOTH);
  watch_end(loop_watches(lp), fd);
  watch_end(loop_watches(lp), fd);
  watch_again(loop_watches(lp), fd);
  assert_true(poll_once() == 0);
  close(fd);
  assert_true(owner == 3);
}

TEST(what_was_there_before_is_told) {
  int owner = 0, fd = eventfd(1, EFD_NONBLOCK);
  assert_true(watch_begin(loop_watches(lp), fd, WATCH_READABLE, count_call, &owner) == 0);
  assert_true(poll_once() == 1 && owner == 1);
  watch_end(loop_watches(lp), fd);
  close(fd);
}

TEST(an_end_is_told_in_both_directions) {
  int owner = 0, ends[2];
  open_pair(ends);
  assert_true(watch_begin(loop_watches(lp), ends[0], WATCH_WRITABLE, count_call, &owner) == 0);
  assert_true(poll_once() == 1 && events_told == WATCH_WRITABLE);
  close(ends[1]);
  assert_true(poll_once() == 1 && events_told == BOTH);
  watch_end(loop_watches(lp), ends[0]);
  close(ends[0]);
}

/* As when a child process has the file too: close(2) does not take it out of the set. */
TEST(a_file_that_lives_on_is_told_to_nobody) {
  int owner = 0, successor = 0, ends[2], others[2];
  open_pair(ends);
  assert_true(watch_begin(loop_watches(lp), ends[0], WATCH_READABLE, count_call, &owner) == 0);
  int held = dup(ends[0]);
  watch_end(loop_watches(lp), ends[0]);
  close(ends[0]);
  assert_true(write(ends[1], "x", 1) == 1);
  assert_true(poll_once() == 0);
  open_pair(others);
  assert_true(others[0] == ends[0]);
  assert_true(watch_begin(loop_watches(lp), others[0], WATCH_READABLE, count_call, &successor) ==
              0);
  assert_true(write(ends[1], "x", 1) == 1);
  assert_true(poll_once() == 0);
  assert_true(write(others[1], "x", 1) == 1);
  assert_true(poll_once() == 1 && owner == 0 && successor == 1);
  close(held);
  close(ends[1]);
  close_both(others);
}

static int twins[2], twin_calls, replaced_calls;

static void count_replaced(void *owner, int events) {
  (void)owner, (void)events;
  replaced_calls++;
}

/* Closes the other one, whose number is then another file's. */
static void replace_other(void *owner, int events) {
  int other = owner == &twins[0] ? twins[1] : twins[0];
  (void)events;
  if (twin_calls++ > 0) return;
  watch_end(loop_watches(lp), other);
  close(other);
  assert_true(eventfd(0, EFD_NONBLOCK) == other);
  assert_true(watch_begin(loop_watches(lp), other, WATCH_READABLE, count_replaced, NULL) == 0);
}

TEST(a_number_may_change_hands_among_events_of_one_poll) {
  for (int i = 0; i < 2; i++) {
    twins[i] = eventfd(1, EFD_NONBLOCK);
    assert_true(watch_begin(loop_watches(lp), twins[i], WATCH_READABLE, replace_other, &twins[i]) ==
                0);
  }
  poll_once();
  assert_true(twin_calls == 1 && replaced_calls == 0);
  for (int i = 0; i < 2; i++) {
    watch_end(loop_watches(lp), twins[i]);
    close(twins[i]);
  }
}

/* So that no deadline passes for what was ready before it. */
TEST(many_are_told_by_one_poll) {
  static int fds[MANY];
  int owner = 0;
  struct rlimit limit;
  assert_true(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  assert_true(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  for (int i = 0; i < MANY; i++) {
    fds[i] = eventfd(1, EFD_NONBLOCK);
    assert_true(fds[i] >= 0);
    assert_true(watch_begin(loop_watches(lp), fds[i], WATCH_READABLE, count_call, &owner) == 0);
  }
  assert_true(poll_once() == MANY && owner == MANY);
  for (int i = 0; i < MANY; i++) {
    watch_end(loop_watches(lp), fds[i]);
    close(fds[i]);
  }
}

static int open_loop(void **state) {
  (void)state;
  return loop_open(&lp);
}

static int close_loop(void **state) {
  (void)state;
  loop_close(lp);
  return 0;
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_event_is_told_once),
    cmocka_unit_test(what_was_there_before_is_told),
    cmocka_unit_test(an_end_is_told_in_both_directions),
    cmocka_unit_test(a_file_that_lives_on_is_told_to_nobody),
    cmocka_unit_test(a_number_may_change_hands_among_events_of_one_poll),
    cmocka_unit_test(many_are_told_by_one_poll),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, open_loop, close_loop);
}
