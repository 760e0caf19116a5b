/* The heap of deadlines: ops come and go in any order, against a model that looks at all of them.
 */
#include "handle/deadline.h"

#include "check.h"
#include "handle/op.h"
#include "platform/clock.h"

enum { OPS = 512, STEPS = 40000 };

#define SECOND 1000000000ull

static op ops[OPS];
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
  CHECK(may_expire);
  CHECK(clock_now_ns() >= o->deadline_ns); /* never early */
  for (int i = 0; i < OPS; i++)            /* the earliest of all */
    if (ops[i].state == OP_WAITING) CHECK(ops[i].deadline_ns >= o->deadline_ns);
  expired++;
}

static const struct op_kind kind = {.ended = ended};

static void on_deliver(op *o) {
  if (o->result != OP_TIMEOUT) return;
  if (o->deadline_ns >= last_expired_ns) ended_together++;
  last_expired_ns = o->deadline_ns;
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
  op_start(o, lp, deadline_ns);
  o->kind = &kind;
  o->deliver = on_deliver;
  op_wait(o, NULL);
  CHECK(o->state == OP_WAITING && o->heap_slot != 0);
}

static void step(bool wait) {
  may_expire = true;
  loop_step(lp, wait);
  may_expire = false;
}

static int count_waiting(void) {
  int count = 0;
  for (int i = 0; i < OPS; i++) count += ops[i].state == OP_WAITING;
  return count;
}

static bool is_free(const op *o) { return o->state == OP_IDLE || o->state == OP_DELIVERED; }

static void add_and_remove_at_random(void) {
  for (int i = 0; i < STEPS; i++) {
    op *o = &ops[random_below(OPS)];
    if (is_free(o)) /* some of them equal, some past, most to come, a few far away */
      start(o, clock_now_ns() / 4096 * 4096 +
                 (random_below(20) == 0 ? 3600 * SECOND : random_below(3000000)));
    else if (o->state == OP_WAITING && random_below(3) == 0)
      op_end(o, OP_CANCELED);
    if (random_below(16) == 0) step(false);
  }
  CHECK(expired > 100 && removed > 100);
}

static void wait_for_those_that_come(void) {
  for (int i = 0; i < OPS; i++)
    if (ops[i].state == OP_WAITING && ops[i].deadline_ns > clock_now_ns() + SECOND)
      op_end(&ops[i], OP_CANCELED);
  while (count_waiting() > 0) step(true);
  step(false); /* tells those that ended last */
}

/* All at one time, then one after the other: ascending, descending, interleaved. */
static void expire_in_order(void) {
  uint64_t start_ns = clock_now_ns() + 2000000;
  expired = 0;
  for (int i = 0; i < OPS; i++) {
    int place = i % 2 == 0 ? i : OPS - i;
    start(&ops[i], start_ns + (i < OPS / 2 ? (uint64_t)place * 1000 : 0));
  }
  while (count_waiting() > 0) step(true);
  CHECK(expired == OPS);
  step(false);
}

static void remove_in_order(int first, int by) {
  uint64_t now_ns = clock_now_ns();
  for (int i = 0; i < OPS; i++) start(&ops[i], now_ns + 3600 * SECOND + (uint64_t)i);
  for (int i = 0; i < OPS; i++) op_end(&ops[(first + i * by) % OPS], OP_CANCELED);
  CHECK(count_waiting() == 0);
  step(false);
  for (int i = 0; i < OPS; i++) CHECK(ops[i].heap_slot == 0 && is_free(&ops[i]));
}

/* An earlier deadline that comes later is not held up by those that were there. */
static void come_before_others(void) {
  uint64_t now_ns = clock_now_ns();
  for (int i = 0; i < OPS - 1; i++) start(&ops[i], now_ns + 3600 * SECOND);
  op *soon = &ops[OPS - 1];
  start(soon, clock_now_ns() + 100000);
  while (soon->state == OP_WAITING) step(true);
  CHECK(soon->result == OP_TIMEOUT);
  CHECK(count_waiting() == OPS - 1);
  for (int i = 0; i < OPS - 1; i++) op_end(&ops[i], OP_CANCELED);
  step(false);
}

static void poll_and_wait_for_ever(void) {
  op *o = &ops[0];
  op_start(o, lp, DEADLINE_POLL);
  op_wait(o, NULL);
  CHECK(o->state == OP_ENDED && o->result == OP_TIMEOUT && o->heap_slot == 0);
  op_start(o, lp, DEADLINE_NEVER);
  o->deliver = on_deliver;
  op_wait(o, NULL);
  CHECK(o->state == OP_WAITING && o->heap_slot == 0);
  op_end(o, 7);
  op_end(o, 8); /* it ends once */
  CHECK(o->state == OP_ENDED && o->result == 7);
  step(false);
  CHECK(o->state == OP_DELIVERED);
}

int main(void) {
  CHECK(loop_open(&lp) == 0);
  add_and_remove_at_random();
  wait_for_those_that_come();
  expire_in_order();
  remove_in_order(0, 1);
  remove_in_order(OPS - 1, OPS - 1);
  remove_in_order(17, 127);
  come_before_others();
  poll_and_wait_for_ever();
  CHECK(ended_together > 100); /* several in one step came in order */
  loop_close(lp);
  return 0;
}
