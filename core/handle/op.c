#include "handle/op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

enum {
  CALLS_AT_ONCE = 64,  /* between two polls, over all tasks */
  CALLS_EACH = 8,      /* of each task, at least */
  BYTES_A_CALL = 1024, /* so a send of 64 KiB takes the whole turn */
  PUT_OFF_STEPS = 4,   /* the most steps before a waiting op subscribes */
};

struct ops {
  list ready;   /* ended ops that wait for delivery */
  list batch;   /* the ops that this step delivers */
  list put_off; /* waiting ops that will subscribe, oldest first */
  deadlines *deadlines;
  uint16_t step; /* the current step; wraps around */
  int calls_left;
  int expected; /* ops that wait for more than the end of tasks */
  char scratch[OPS_SCRATCH];
};

void op_start(op *o, ops *all, uint64_t deadline_ns) {
  *o = (op){.ops = all, .done = o->done, .state = OP_STARTING, .deadline = {.at_ns = deadline_ns}};
  list_init(&o->link);
  list_init(&o->put_off);
}

static bool op_is_expected(const op *o) { return !o->awaits_tasks && !o->is_background; }

void op_wait(op *o, list *queue) {
  if (o->deadline.at_ns == DEADLINE_POLL) {
    op_end(o, OP_TIMEOUT);
    return;
  }
  bool is_bounded = o->deadline.at_ns != DEADLINE_NEVER;
  if (is_bounded && deadlines_add(o->ops->deadlines, &o->deadline) < 0) {
    op_end(o, -ENOMEM);
    return;
  }
  o->state = OP_WAITING;
  if (op_is_expected(o)) o->ops->expected++;
  o->waits_since_ns = clock_now_ns();
  if (queue != NULL) list_append(queue, &o->link);
}

static void op_ready(op *o) { list_append(&o->ops->ready, &o->link); }

void op_end(op *o, ssize_t result) {
  bool waited = o->state == OP_WAITING;
  if (!waited && o->state != OP_STARTING) return;
  list_remove(&o->link);
  list_remove(&o->put_off);
  deadlines_remove(o->ops->deadlines, &o->deadline);
  o->result = result;
  o->state = OP_ENDED;
  if (waited && op_is_expected(o)) o->ops->expected--;
  if (o->kind != NULL) o->kind->ended(o);
  if (waited) op_ready(o);
}

void op_put_off(op *o) {
  o->step = o->ops->step;
  list_append(&o->ops->put_off, &o->put_off);
}

void op_end_all(list *queue, ssize_t result) {
  while (!list_empty(queue)) op_end(LIST_ENTRY(queue->next, op, link), result);
}

void op_attempt_all(list *queue) {
  while (!list_empty(queue)) {
    op *o = LIST_ENTRY(queue->next, op, link);
    if (!o->kind->attempt(o)) return;
  }
}

void op_postpone(op *o) {
  if (o->is_in_scratch && o->result > 0) {
    o->owned = malloc((size_t)o->result);
    if (o->owned == NULL)
      o->result = -ENOMEM;
    else
      o->as.receive.data = memcpy(o->owned, o->as.receive.data, (size_t)o->result);
  }
  op_ready(o);
}

void op_idle(op *o) { o->state = OP_IDLE; }

void op_forget(op *o) {
  op_end(o, OP_CLOSED);
  list_remove(&o->link); /* leave the ready queue: nobody wants the result */
  op_idle(o);
}

void op_release(op *o) {
  free(o->owned);
  o->owned = NULL;
}

/* -- the loop's ops ------------------------------------------------------------------------ */

bool ops_has_ready(const ops *all) { return !list_empty(&all->ready); }
bool ops_spend(ops *all, const op *o) {
  bool may_go_on = all->calls_left > 0;
  size_t more = o->filled / BYTES_A_CALL;
  all->calls_left -= 1 + (int)(more < CALLS_AT_ONCE ? more : CALLS_AT_ONCE);
  return may_go_on;
}
char *ops_scratch(ops *all) { return all->scratch; }
deadlines *ops_deadlines(ops *all) { return all->deadlines; }

bool ops_is_stuck(const ops *all) {
  return all->expected == 0 && list_empty(&all->ready) && list_empty(&all->put_off);
}

int ops_patience_ms(const ops *all) {
  bool may_wait = list_empty(&all->ready) && list_empty(&all->put_off);
  return may_wait ? deadlines_bound_ms(all->deadlines) : 0;
}

/* Lets waiting ops subscribe, oldest step first, but only while no task can run. Before a deadline
 * passes all of them subscribe, so that data that has come by then wins. */
static void ops_subscribe(ops *all) {
  all->step++;
  for (uint16_t step = all->step; !list_empty(&all->put_off);) {
    op *o = LIST_ENTRY(all->put_off.next, op, put_off);
    bool is_its_turn = o->step == step || (uint16_t)(all->step - o->step) > PUT_OFF_STEPS;
    if (!is_its_turn && ops_has_ready(all) && !deadlines_are_due(all->deadlines)) return;
    step = o->step;
    list_remove(&o->put_off);
    o->kind->subscribe(o);
  }
}

static op *ops_take_first(ops *all) {
  op *o = LIST_ENTRY(all->batch.next, op, link);
  list_remove(&o->link);
  return o;
}

static void ops_deliver(ops *all) {
  list_move(&all->ready, &all->batch);
  while (!list_empty(&all->batch)) {
    op *o = ops_take_first(all);
    o->state = OP_DELIVERED;
    if (all->calls_left < CALLS_EACH) all->calls_left = CALLS_EACH;
    o->done(o);
  }
}

void ops_run(ops *all) {
  ops_subscribe(all);
  deadlines_expire(all->deadlines);
  all->calls_left = CALLS_AT_ONCE;
  ops_deliver(all);
}

static void ops_time_out(deadline *d) { op_end(LIST_ENTRY(d, op, deadline), OP_TIMEOUT); }

int ops_open(watches *ws, ops **out) {
  ops *all = calloc(1, sizeof *all);
  if (all == NULL) return -ENOMEM;
  list_init(&all->ready);
  list_init(&all->batch);
  list_init(&all->put_off);
  all->calls_left = CALLS_AT_ONCE;
  int result = deadlines_open(ws, ops_time_out, &all->deadlines);
  if (result < 0)
    free(all);
  else
    *out = all;
  return result;
}

/* A task may end the program while other ops have results: drops those. */
void ops_close(ops *all) {
  for (list_move(&all->ready, &all->batch); !list_empty(&all->batch);)
    op_release(ops_take_first(all));
  deadlines_close(all->deadlines);
  free(all);
}
