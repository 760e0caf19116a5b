#include "handle/foreign.h"

#include <stdlib.h>

#include "handle/listener.h"
#include "handle/op.h"
#include "platform/clock.h"
#include "platform/process_tree.h"
#include "platform/sock_diag.h"

enum { MS = 1000 * 1000 }; /* in nanoseconds */

/* A look takes about 0.04 ms: no more than one in twenty parts of the time, and none for less than
 * this. */
enum { EVERY_NS = 10 * MS, PAUSE_NS = 1 * MS, SHARE = 20 };

enum { TRIES = 5 };

/* A listening socket of the host. */
struct seen {
  uint32_t inode;
  bool is_ours;  /* the program holds it */
  uint8_t tries; /* to find that out */
  bool is_there; /* the last look found it */
  struct trace_socket socket;
  uint32_t depth, limit; /* what the trace recorded last */
};

struct foreign {
  loop *lp;
  trace *trace;
  int ns;
  struct trace_socket program;
  pid_t guard, number;
  struct trace_probe probe;
  op timer; /* waits for its deadline alone */
  uint64_t next_ns;
  bool has_failed; /* the last look */
  struct seen *seen;
  size_t count, room;
};

/* -- one listener -------------------------------------------------------------------------- */

static bool holds(const foreign *f, uint32_t inode) {
  struct process_tree tree;
  if (process_tree_read(f->guard, f->number, &tree) < 0) return false;
  bool result = process_tree_holds(&tree, inode);
  process_tree_free(&tree);
  return result;
}

static struct seen *find(foreign *f, uint32_t inode) {
  for (size_t i = 0; i < f->count; i++)
    if (f->seen[i].inode == inode) return &f->seen[i];
  return NULL;
}

static struct seen *make_room(foreign *f) {
  if (f->count == f->room) {
    size_t room = f->room == 0 ? 4 : 2 * f->room;
    struct seen *larger = reallocarray(f->seen, room, sizeof *larger);
    if (larger == NULL) return NULL;
    f->seen = larger;
    f->room = room;
  }
  return &f->seen[f->count];
}

static void record_depth(foreign *f, struct seen *known, const struct tcp_socket *s) {
  known->depth = s->receive_queue;
  known->limit = s->send_queue;
  trace_append(f->trace, &known->socket, EVENT_QUEUE, known->depth, (int32_t)known->limit);
}

/* To find out who holds a socket means to search /proc, which takes milliseconds. A program that is
 * in execve(2) or has just forked may hide it: try again, but not for ever. */
static void claim(foreign *f, struct seen *new, const struct tcp_socket *s) {
  new->tries++;
  if (listener_is_at(f->lp, f->program.host, address_port(&s->local)) || !holds(f, s->inode))
    return;
  new->is_ours = true;
  new->socket.id = loop_next_socket(f->lp);
  trace_end_set(&new->socket.local, &s->local);
  trace_append(f->trace, &new->socket, EVENT_FOUND, 0, 0);
  record_depth(f, new, s);
}

static struct seen *meet(foreign *f, const struct tcp_socket *s) {
  struct seen *new = make_room(f);
  if (new == NULL) return NULL;
  *new = (struct seen){.inode = s->inode, .socket = f->program};
  f->count++;
  return new;
}

static void see(foreign *f, const struct tcp_socket *s) {
  struct seen *known = find(f, s->inode);
  if (known == NULL) known = meet(f, s);
  if (known == NULL) return;
  known->is_there = true;
  if (!known->is_ours && known->tries < TRIES) claim(f, known, s);
  bool has_changed = s->receive_queue != known->depth || s->send_queue != known->limit;
  if (known->is_ours && has_changed) record_depth(f, known, s);
}

/* -- all of them --------------------------------------------------------------------------- */

static void forget_gone(foreign *f) {
  size_t kept = 0;
  for (size_t i = 0; i < f->count; i++) {
    struct seen *s = &f->seen[i];
    if (s->is_there)
      f->seen[kept++] = *s;
    else if (s->is_ours)
      trace_append(f->trace, &s->socket, EVENT_GONE, 0, 0);
  }
  f->count = kept;
}

static int see_all(foreign *f) {
  struct sock_diag_filter listening = {.states = 1 << TCP_STATE_LISTEN, .owned = 1};
  struct sock_diag_list found = {0};
  int result = sock_diag_read(f->ns, &listening, &found);
  for (size_t i = 0; i < f->count; i++) f->seen[i].is_there = false;
  for (size_t i = 0; result >= 0 && i < found.count; i++) see(f, &found.sockets[i]);
  if (result >= 0) forget_gone(f);
  sock_diag_free(&found);
  return result;
}

/* Its price is in processor time: another program may have had the processor meanwhile. */
static void look(foreign *f) {
  uint64_t began_ns = clock_spent_ns();
  int result = see_all(f);
  if (result < 0 && !f->has_failed) trace_append(f->trace, &f->program, EVENT_SOCKETS, 0, result);
  f->has_failed = result < 0;
  uint64_t earned_ns = SHARE * (clock_spent_ns() - began_ns);
  f->next_ns = clock_now_ns() + (earned_ns > PAUSE_NS ? earned_ns : PAUSE_NS);
}

static void ask(struct trace_probe *p, bool is_noteworthy) {
  foreign *f = LIST_ENTRY(p, foreign, probe);
  if (is_noteworthy || clock_now_ns() >= f->next_ns) look(f);
}

static void begin_timer(foreign *f);

static void on_due(op *o) {
  foreign *f = o->owner;
  if (!trace_is_probing(f->trace)) return;
  if (clock_now_ns() >= f->next_ns) look(f);
  begin_timer(f);
}

/* As if it waited for tasks: no task is woken by it. */
static void begin_timer(foreign *f) {
  uint64_t due_ns = clock_now_ns() + EVERY_NS;
  op_start(&f->timer, f->lp, due_ns > f->next_ns ? due_ns : f->next_ns);
  f->timer.awaits_tasks = true;
  f->timer.owner = f;
  f->timer.deliver = on_due;
  op_wait(&f->timer, NULL);
}

foreign *foreign_open(loop *lp, int ns, const struct trace_socket *program, pid_t guard,
                      pid_t number) {
  foreign *f = calloc(1, sizeof *f);
  if (f == NULL) return NULL;
  f->lp = lp;
  f->trace = loop_trace(lp);
  f->ns = ns;
  f->program = *program;
  f->guard = guard;
  f->number = number;
  f->probe.ask = ask;
  trace_probe_open(f->trace, &f->probe);
  begin_timer(f);
  return f;
}

void foreign_close(foreign *f) {
  if (f == NULL) return;
  if (trace_is_probing(f->trace)) look(f);
  trace_probe_close(&f->probe);
  op_withdraw(&f->timer);
  free(f->seen);
  free(f);
}
