#include "handle/op.h"

#include <stdlib.h>
#include <string.h>

#include "handle/deadline.h"
#include "platform/clock.h"

void op_start(op *o, loop *lp, uint64_t deadline_ns) {
  list_init(&o->link);
  list_init(&o->unwatched);
  o->lp = lp;
  o->deadline_ns = deadline_ns;
  o->waits_since_ns = 0;
  o->heap_slot = 0;
  o->state = OP_STARTING;
  o->kind = NULL;
  o->result = 0;
  o->is_in_scratch = false;
  o->awaits_tasks = false;
  o->owned = NULL;
}

void op_wait(op *o, list *queue) {
  if (o->deadline_ns == DEADLINE_POLL) {
    op_end(o, OP_TIMEOUT);
    return;
  }
  if (o->deadline_ns != DEADLINE_NEVER && deadlines_add(loop_deadlines(o->lp), o) < 0) {
    op_end(o, UV_ENOMEM);
    return;
  }
  o->state = OP_WAITING;
  if (!o->awaits_tasks) loop_expect(o->lp, 1);
  o->waits_since_ns = clock_now_ns();
  if (queue != NULL) list_append(queue, &o->link);
}

void op_end(op *o, ssize_t result) {
  bool waited = o->state == OP_WAITING;
  if (!waited && o->state != OP_STARTING) return;
  list_remove(&o->link);
  list_remove(&o->unwatched);
  if (o->heap_slot != 0) deadlines_remove(loop_deadlines(o->lp), o);
  o->result = result;
  o->state = OP_ENDED;
  if (waited && !o->awaits_tasks) loop_expect(o->lp, -1);
  if (o->kind != NULL) o->kind->ended(o);
  if (waited) loop_ready(o->lp, o);
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
      o->result = UV_ENOMEM;
    else
      o->as.receive.data = memcpy(o->owned, o->as.receive.data, (size_t)o->result);
  }
  loop_ready(o->lp, o);
}

void op_idle(op *o) { o->state = OP_IDLE; }

void op_release(op *o) {
  free(o->owned);
  o->owned = NULL;
}
