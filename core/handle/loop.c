#include "handle/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "handle/child.h"

enum { PORTS = 65536 };

struct loop {
  int wake; /* an eventfd: a signal handler ends a poll with it */
  ops *ops;
  trace *trace;
  watches *watches;
  list children; /* child processes, until waitpid(2) has returned them */
  struct scopes scopes;
  scope outermost;
  uint32_t last_socket;
  uint32_t last_mark;
  uint16_t last_host;
  bool ports[PORTS]; /* true: a listener without a mark was at this port */
};

ops *loop_ops(loop *lp) { return lp->ops; }
trace *loop_trace(loop *lp) { return lp->trace; }
watches *loop_watches(loop *lp) { return lp->watches; }
struct scopes *loop_scopes(loop *lp) {
  return &lp->scopes;
}
loop *loop_of(const void *h) { return LIST_ENTRY(((const handle *)h)->scopes, loop, scopes); }
scope *loop_scope(loop *lp) { return &lp->outermost; }
list *loop_children(loop *lp) { return &lp->children; }
uint32_t loop_next_socket(loop *lp) { return ++lp->last_socket; }

/* Marks that somebody sets by hand, or masks, hardly ever have this bit. */
uint32_t loop_next_mark(loop *lp) { return 1u << 31 | lp->last_mark++; }

bool loop_take_port(loop *lp, int port) {
  bool is_first = !lp->ports[port];
  lp->ports[port] = true;
  return is_first;
}

int loop_next_host(loop *lp) { return lp->last_host == HOSTS_MOST ? -EOVERFLOW : ++lp->last_host; }

void loop_wake(loop *lp) { eventfd_write(lp->wake, 1); }

static void loop_on_wake(void *owner, int events) {
  eventfd_t count;
  (void)events; /* the poll has returned, and must do no more */
  eventfd_read(((loop *)owner)->wake, &count);
}

void loop_step(loop *lp, bool wait) {
  int patience_ms = wait ? ops_patience_ms(lp->ops) : 0;
  if (patience_ms != 0) trace_catch_up(lp->trace);
  watches_poll(lp->watches, patience_ms);
  ops_run(lp->ops);
}

static int loop_open_parts(loop *lp) {
  int result = trace_open(&lp->trace);
  if (result < 0) return result;
  result = watches_open(&lp->watches);
  if (result < 0) return result;
  lp->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (lp->wake == -1) return -errno;
  result = watch_begin(lp->watches, lp->wake, WATCH_READABLE, loop_on_wake, lp);
  if (result < 0) return result;
  return ops_open(lp->watches, &lp->ops);
}

static void loop_close_parts(loop *lp) {
  if (lp->ops != NULL) ops_close(lp->ops);
  if (lp->wake != -1) close(lp->wake);
  if (lp->watches != NULL) watches_close(lp->watches);
  if (lp->trace != NULL) trace_close(lp->trace);
  free(lp);
}

int loop_open(loop **out) {
  loop *lp = calloc(1, sizeof *lp);
  if (lp == NULL) return -ENOMEM;
  lp->wake = -1;
  list_init(&lp->children);
  list_init(&lp->scopes.open);
  scope_open(&lp->outermost, &lp->scopes);
  getrandom(&lp->last_mark, sizeof lp->last_mark, GRND_NONBLOCK);
  int result = loop_open_parts(lp);
  if (result < 0) {
    loop_close_parts(lp);
    return result;
  }
  *out = lp;
  return 0;
}

void loop_close(loop *lp) {
  list *open = &lp->scopes.open;
  while (!list_empty(open)) scope_close(LIST_ENTRY(open->prev, scope, in_scopes));
  child_wait_for_all(&lp->children);
  loop_close_parts(lp);
}
