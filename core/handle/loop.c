#include "handle/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "handle/child.h"
#include "handle/deadline.h"
#include "handle/op.h"
#include "handle/scope.h"
#include "handle/trace.h"
#include "handle/watch.h"

enum {
  CALLS_AT_ONCE = 64, /* between two polls, over all tasks */
  PORTS = 65536,
  UNWATCHED_STEPS = 4, /* as long as this an op that waits need not be watched */
};

struct loop {
  int wake; /* an eventfd, by which a signal handler ends a poll */
  deadlines *deadlines;
  trace *trace;
  watches *watches;
  list ready;     /* ended ops, to be delivered */
  list batch;     /* those that this step delivers */
  list unwatched; /* ops that wait, to be watched later */
  list scopes;    /* every open scope; the outermost first */
  list children;  /* child processes that have not been waited for */
  scope outermost;
  loop_closed closed; /* told of anchored handles */
  void *closed_context;
  uint32_t last_socket;
  uint32_t last_mark;
  bool ports[PORTS]; /* where a listener without a mark was */
  uint16_t last_host;
  uint16_t step; /* their number, from any */
  int calls_left;
  int expected; /* ops that wait for something from outside */
  char scratch[LOOP_SCRATCH];
};

deadlines *loop_deadlines(loop *lp) { return lp->deadlines; }
trace *loop_trace(loop *lp) { return lp->trace; }
watches *loop_watches(loop *lp) { return lp->watches; }
scope *loop_scope(loop *lp) { return &lp->outermost; }
list *loop_scopes(loop *lp) { return &lp->scopes; }
list *loop_children(loop *lp) { return &lp->children; }
char *loop_scratch(loop *lp) { return lp->scratch; }
uint32_t loop_next_socket(loop *lp) { return ++lp->last_socket; }
/* Such as nobody chooses who sets marks by hand, or masks some bits of them. */
uint32_t loop_next_mark(loop *lp) { return 1u << 31 | lp->last_mark++; }

bool loop_take_port(loop *lp, int port) {
  bool is_first = !lp->ports[port];
  lp->ports[port] = true;
  return is_first;
}

int loop_next_host(loop *lp) { return lp->last_host == HOSTS_MOST ? -EOVERFLOW : ++lp->last_host; }

bool loop_has_ready(const loop *lp) { return !list_empty(&lp->ready); }
void loop_on_closed(loop *lp, loop_closed closed, void *context) {
  lp->closed = closed;
  lp->closed_context = context;
}

void loop_tell_closed(loop *lp, const handle *h) { lp->closed(lp->closed_context, h); }

void loop_ready(loop *lp, op *o) { list_append(&lp->ready, &o->link); }

void loop_watch_later(loop *lp, op *o) {
  o->step = lp->step;
  list_append(&lp->unwatched, &o->unwatched);
}

void loop_expect(loop *lp, int more) { lp->expected += more; }

bool loop_is_stuck(const loop *lp) {
  return lp->expected == 0 && list_empty(&lp->ready) && list_empty(&lp->unwatched);
}

bool loop_spend(loop *lp) { return lp->calls_left-- > 0; }
void loop_wake(loop *lp) { eventfd_write(lp->wake, 1); }

static void on_wake(void *owner, int events) {
  eventfd_t count;
  (void)events; /* the poll has returned: that was all */
  eventfd_read(((loop *)owner)->wake, &count);
}

static void deliver(loop *lp) {
  list_move(&lp->ready, &lp->batch);
  while (!list_empty(&lp->batch)) {
    op *o = LIST_ENTRY(lp->batch.next, op, link);
    list_remove(&o->link);
    o->state = OP_DELIVERED;
    o->deliver(o);
  }
}

/* Has those watched for which nothing came in time: one step's after another's, while no task can
 * run; all of them before a deadline passes, which what has come by then precedes. */
static void watch(loop *lp) {
  lp->step++;
  for (uint16_t step = lp->step; !list_empty(&lp->unwatched);) {
    op *o = LIST_ENTRY(lp->unwatched.next, op, unwatched);
    bool is_its_turn = o->step == step || (uint16_t)(lp->step - o->step) > UNWATCHED_STEPS;
    if (!is_its_turn && loop_has_ready(lp) && !deadlines_are_due(lp->deadlines)) return;
    step = o->step;
    list_remove(&o->unwatched);
    o->kind->watch(o);
  }
}

void loop_step(loop *lp, bool wait) {
  bool may_wait = wait && !loop_has_ready(lp) && list_empty(&lp->unwatched);
  if (may_wait) trace_catch_up(lp->trace);
  watches_poll(lp->watches, may_wait ? deadlines_bound_ms(lp->deadlines) : 0);
  watch(lp);
  deadlines_expire(lp->deadlines);
  lp->calls_left = CALLS_AT_ONCE;
  deliver(lp);
}

static int open_parts(loop *lp) {
  int result = trace_open(&lp->trace);
  if (result < 0) return result;
  result = watches_open(&lp->watches);
  if (result < 0) return result;
  lp->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (lp->wake == -1) return -errno;
  result = watch_begin(lp, lp->wake, WATCH_READABLE, on_wake, lp);
  if (result < 0) return result;
  return deadlines_open(lp, &lp->deadlines);
}

static void close_parts(loop *lp) {
  if (lp->deadlines != NULL) deadlines_close(lp->deadlines);
  if (lp->wake != -1) close(lp->wake);
  if (lp->watches != NULL) watches_close(lp->watches);
  if (lp->trace != NULL) trace_close(lp->trace);
  free(lp);
}

int loop_open(loop **out) {
  loop *lp = calloc(1, sizeof *lp);
  if (lp == NULL) return UV_ENOMEM;
  lp->wake = -1;
  list_init(&lp->ready);
  list_init(&lp->batch);
  list_init(&lp->unwatched);
  list_init(&lp->scopes);
  list_init(&lp->children);
  scope_open(&lp->outermost, lp);
  lp->calls_left = CALLS_AT_ONCE;
  getrandom(&lp->last_mark, sizeof lp->last_mark, GRND_NONBLOCK);
  int result = open_parts(lp);
  if (result < 0) {
    close_parts(lp);
    return result;
  }
  *out = lp;
  return 0;
}

/* A task may end the program while other ops have their results, and those will not be told. */
static void drop_results(loop *lp) {
  for (list_move(&lp->ready, &lp->batch); !list_empty(&lp->batch);) {
    op *o = LIST_ENTRY(lp->batch.next, op, link);
    list_remove(&o->link);
    op_release(o);
  }
}

void loop_close(loop *lp) {
  while (!list_empty(&lp->scopes)) scope_close(LIST_ENTRY(lp->scopes.prev, scope, in_loop));
  drop_results(lp);
  child_wait_for_all(lp);
  close_parts(lp);
}
