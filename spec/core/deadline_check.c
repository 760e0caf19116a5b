/* The heap of deadlines: ops come and go in any order, against a model that looks at all of them.
 */
#include "handle/deadline.h"

#include "check.h"
#include "handle/loop.h"
#include "handle/op.h"
#include "platform/clock.h"

enum { OPS = 512, STEPS = 40000 };

#define SECOND 1000000000ull

static op model[OPS];
static loop *lp;
static bool may_expire; /* whether op_end comes from the loop */
static int expired, removed, ended_together;
static uint64_t last_expired_ns;

/* An op of the model waits while its state is OP_WAITING. */
static void ended(op *o) {
  if (o->result != OP_TIMEOUT) {
    removed++;
    return;
  }
  assert_true(may_expire);
  assert_true(clock_now_ns() >= o->deadline.at_ns); /* never early */
  for (int i = 0; i < OPS; i++)                     /* the earliest of all */
    if (model[i].state == OP_WAITING) assert_true(model[i].deadline.at_ns >= o->deadline.at_ns);
  expired++;
}

static const struct op_kind kind = {.ended = ended};

static void on_deliver(op *o) {
  if (o->result != OP_TIMEOUT) return;
  if (o->deadline.at_ns >= last_expired_ns) ended_together++;
  last_expired_ns = o->deadline.at_ns;
}

/* Its own generator: the same steps in every run. */
static uint32_t random_below(uint32_t bound) {
  static uint64_t state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 32) % bound);
}

static void start(op *o, uint64_t deadline_ns) {
  op_start(o, loop_ops(lp), deadline_ns);
  o->kind = &kind;
  o->done = on_deliver;
  op_wait(o, NULL);
  assert_true(o->state == OP_WAITING && o->deadline.slot != 0);
}

static void step(bool wait) {
  may_expire = true;
  loop_step(lp, wait);
  may_expire = false;
}

static int count_waiting(void) {
  int count = 0;
  for (int i = 0; i < OPS; i++) count += model[i].state == OP_WAITING;
  return count;
}

static bool is_free(const op *o) { return o->state == OP_IDLE || o->state == OP_DELIVERED; }

static void wait_for_those_that_come(void) {
  for (int i = 0; i < OPS; i++)
    if (model[i].state == OP_WAITING && model[i].deadline.at_ns > clock_now_ns() + SECOND)
      op_end(&model[i], OP_CANCELED);
  while (count_waiting() > 0) step(true);
  step(false); /* tells those that ended last */
}

TEST(add_and_remove_at_random) {
  for (int i = 0; i < STEPS; i++) {
    op *o = &model[random_below(OPS)];
    if (is_free(o)) /* some of them equal, some past, most to come, a few far away */
      start(o, clock_now_ns() / 4096 * 4096 +
                 (random_below(20) == 0 ? 3600 * SECOND : random_below(3000000)));
    else if (o->state == OP_WAITING && random_below(3) == 0)
      op_end(o, OP_CANCELED);
    if (random_below(16) == 0) step(false);
  }
  assert_true(expired > 100 && removed > 100);
  wait_for_those_that_come();
}

/* All at one time, then one after the other: ascending, descending, interleaved. */
TEST(expire_in_order) {
  uint64_t start_ns = clock_now_ns() + 2000000;
  expired = ended_together = 0;
  for (int i = 0; i < OPS; i++) {
    int place = i % 2 == 0 ? i : OPS - i;
    start(&model[i], start_ns + (i < OPS / 2 ? (uint64_t)place * 1000 : 0));
  }
  while (count_waiting() > 0) step(true);
  assert_true(expired == OPS);
  step(false);
  assert_true(ended_together > 100); /* those of one step came in order */
}

static void remove_in_order(int first, int by) {
  uint64_t now_ns = clock_now_ns();
  for (int i = 0; i < OPS; i++) start(&model[i], now_ns + 3600 * SECOND + (uint64_t)i);
  for (int i = 0; i < OPS; i++) op_end(&model[(first + i * by) % OPS], OP_CANCELED);
  assert_true(count_waiting() == 0);
  step(false);
  for (int i = 0; i < OPS; i++) assert_true(model[i].deadline.slot == 0 && is_free(&model[i]));
}

TEST(remove_in_any_order) {
  remove_in_order(0, 1);
  remove_in_order(OPS - 1, OPS - 1);
  remove_in_order(17, 127);
}

/* An earlier deadline that comes later is not held up by those that were there. */
TEST(come_before_others) {
  uint64_t now_ns = clock_now_ns();
  for (int i = 0; i < OPS - 1; i++) start(&model[i], now_ns + 3600 * SECOND);
  op *soon = &model[OPS - 1];
  start(soon, clock_now_ns() + 100000);
  while (soon->state == OP_WAITING) step(true);
  assert_true(soon->result == OP_TIMEOUT);
  assert_true(count_waiting() == OPS - 1);
  for (int i = 0; i < OPS - 1; i++) op_end(&model[i], OP_CANCELED);
  step(false);
}

TEST(poll_and_wait_for_ever) {
  op *o = &model[0];
  op_start(o, loop_ops(lp), DEADLINE_POLL);
  op_wait(o, NULL);
  assert_true(o->state == OP_ENDED && o->result == OP_TIMEOUT && o->deadline.slot == 0);
  op_start(o, loop_ops(lp), DEADLINE_NEVER);
  o->done = on_deliver;
  op_wait(o, NULL);
  assert_true(o->state == OP_WAITING && o->deadline.slot == 0);
  op_end(o, 7);
  op_end(o, 8); /* it ends once */
  assert_true(o->state == OP_ENDED && o->result == 7);
  step(false);
  assert_true(o->state == OP_DELIVERED);
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
    cmocka_unit_test(add_and_remove_at_random), cmocka_unit_test(expire_in_order),
    cmocka_unit_test(remove_in_any_order),      cmocka_unit_test(come_before_others),
    cmocka_unit_test(poll_and_wait_for_ever),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, open_loop, close_loop);
}
