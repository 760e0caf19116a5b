#include "handle/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "handle/listener.h"
#include "handle/watch.h"
#include "platform/clock.h"
#include "platform/process_tree.h"
#include "platform/sock_diag.h"
#include "platform/unix_listeners.h"

/* A look takes about 0.07 ms. Looks take at most one part in SHARE of the time, and are PAUSE_NS
 * apart at least. */
enum { EVERY_NS = 10 * CLOCK_MS, PAUSE_NS = CLOCK_MS, SHARE = 20 };

enum { TRIES = 5 }; /* to find the process that holds a listener */

/* A listening socket of the host, as the kernel lists it. */
struct listening {
  uint32_t inode, depth, limit, drops;
  const address *local;
};

/* A listening socket that a look has found. */
struct seen {
  uint32_t inode;
  bool is_ours;  /* the program holds it */
  uint8_t tries; /* so far, to find out is_ours */
  bool is_there; /* the last look found it */
  struct trace_socket socket;
  uint32_t depth, limit, drops; /* as the trace recorded them last */
};

struct foreign {
  loop *lp;
  trace *trace;
  int ns;
  struct trace_socket program;
  pid_t guard, number;
  bool is_watch; /* of a target, not of a program */
  struct foreign_target target;
  struct foreign_peak peak; /* of a target */
  uint64_t every_ns;
  struct trace_probe probe;
  int timer; /* a timerfd(2); -1: none */
  uint64_t next_ns;
  bool has_failed;          /* the last look has */
  struct process_tree tree; /* the program's, during a look that needs it */
  bool has_tree;
  int search_failed;    /* a negative errno: this look could not search /proc */
  uint64_t searched_ns; /* time that this look spent in foreign_holds */
  struct seen *seen;
  size_t count, room;
};

/* -- one listener -------------------------------------------------------------------------- */

/* Searches /proc for the holder of a socket, which takes milliseconds. foreign_look does not count
 * them: the search is rare, and must not put off the next look. */
static int foreign_holds(foreign *f, uint32_t inode) {
  uint64_t began_ns = clock_spent_ns();
  int result = f->has_tree ? 0 : process_tree_read(f->guard, f->number, &f->tree);
  f->has_tree = result == 0;
  if (result == 0) result = process_tree_holds(&f->tree, inode);
  f->searched_ns += clock_spent_ns() - began_ns;
  return result == -ESRCH ? 0 : result; /* all of the program has ended */
}

static struct seen *foreign_find(const foreign *f, uint32_t inode) {
  for (size_t i = 0; i < f->count; i++)
    if (f->seen[i].inode == inode) return &f->seen[i];
  return NULL;
}

static void foreign_ask(struct trace_probe *p, bool is_noteworthy);

/* The listener as another program or watch has recorded it, or NULL. */
static struct seen *foreign_find_claimed(const foreign *f, uint32_t inode) {
  list *probes = trace_probes(f->trace);
  for (list *l = probes->next; l != probes; l = l->next) {
    struct trace_probe *p = LIST_ENTRY(l, struct trace_probe, in_trace);
    foreign *other = p->ask == foreign_ask ? LIST_ENTRY(p, foreign, probe) : NULL;
    if (other == NULL || other == f || other->program.host != f->program.host) continue;
    struct seen *known = foreign_find(other, inode);
    if (known != NULL && known->is_ours) return known;
  }
  return NULL;
}

static struct seen *foreign_meet(foreign *f, const struct listening *l) {
  if (f->count == f->room) {
    size_t room = f->room == 0 ? 4 : 2 * f->room;
    struct seen *larger = reallocarray(f->seen, room, sizeof *larger);
    if (larger == NULL) return NULL;
    f->seen = larger;
    f->room = room;
  }
  struct seen *new = &f->seen[f->count++];
  *new = (struct seen){.inode = l->inode, .socket = f->program};
  return new;
}

static void foreign_record_depth(foreign *f, struct seen *known, const struct listening *l) {
  known->depth = l->depth;
  known->limit = l->limit;
  known->drops = l->drops;
  trace_append_queue(f->trace, &known->socket, l->depth, l->limit, l->drops);
}

static void foreign_record_change(foreign *f, struct seen *known, const struct listening *l) {
  if (l->depth != known->depth || l->limit != known->limit || l->drops != known->drops)
    foreign_record_depth(f, known, l);
}

static void foreign_record_found(foreign *f, struct seen *new, const struct listening *l) {
  char text[ADDRESS_TEXT];
  new->is_ours = true;
  new->socket.id = loop_next_socket(f->lp);
  trace_end_set(f->trace, &new->socket.local, l->local);
  if (address_family(l->local) == AF_UNIX)
    new->socket.path = trace_label(f->trace, address_format(l->local, text));
  trace_append(f->trace, &new->socket, EVENT_FOUND, 0, 0);
}

/* A program in execve(2), or just forked, may hide a socket: try a few times. */
static void foreign_claim(foreign *f, struct seen *new, const struct listening *l) {
  /* lunet's own or another's one is not searched for, but can be the program's later. */
  if (listener_is_at(f->lp, f->program.host, l->local) || foreign_find_claimed(f, l->inode) != NULL)
    return;
  int holds = foreign_holds(f, l->inode);
  if (holds < 0) f->search_failed = holds;
  if (holds == 0) new->tries++;
  if (holds <= 0) return;
  foreign_record_found(f, new, l);
  foreign_record_depth(f, new, l);
}

static void foreign_see(foreign *f, const struct listening *l) {
  struct seen *known = foreign_find(f, l->inode);
  if (known == NULL) known = foreign_meet(f, l);
  if (known == NULL) return;
  known->is_there = true;
  if (!known->is_ours && known->tries < TRIES) foreign_claim(f, known, l);
  if (known->is_ours) foreign_record_change(f, known, l);
}

/* -- the listeners at a target ------------------------------------------------------------- */

static bool foreign_is_target(const foreign *f, const address *local) {
  char text[ADDRESS_TEXT], wanted[ADDRESS_TEXT];
  if (f->target.port != 0) return address_port(local) == f->target.port;
  return address_family(local) == AF_UNIX &&
         strcmp(address_format(local, text), address_format(&f->target.path, wanted)) == 0;
}

static void foreign_update_peak(struct foreign_peak *p, const struct listening *l) {
  if (p->looks == 0 || l->depth >= p->depth) {
    p->depth = l->depth;
    p->limit = l->limit;
  }
  p->drops += l->drops;
}

/* A listener that the trace has already keeps its place there. */
static void foreign_see_target(foreign *f, const struct listening *l) {
  if (!foreign_is_target(f, l->local)) return;
  foreign_update_peak(&f->peak, l);
  if (!trace_is_probing(f->trace)) return;
  listener *own = listener_find(f->lp, l->inode);
  if (own != NULL) {
    listener_saw_queue(own, l->depth, l->limit, l->drops);
    return;
  }
  struct seen *known = foreign_find_claimed(f, l->inode);
  if (known != NULL) {
    foreign_record_change(f, known, l);
    return;
  }
  known = foreign_find(f, l->inode);
  if (known == NULL) known = foreign_meet(f, l);
  if (known == NULL) return;
  known->is_there = true;
  if (known->is_ours) {
    foreign_record_change(f, known, l);
    return;
  }
  foreign_record_found(f, known, l);
  foreign_record_depth(f, known, l);
}

/* -- all listeners ------------------------------------------------------------------------- */

typedef void foreign_see_one(foreign *f, const struct listening *l);

static int foreign_see_tcp(foreign *f, foreign_see_one *see) {
  struct sock_diag_filter listening = {.states = 1 << TCP_STATE_LISTEN, .owned = 1};
  struct sock_diag_list found = {0};
  int result = sock_diag_read(f->ns, &listening, &found);
  for (size_t i = 0; result >= 0 && i < found.count; i++) {
    const struct tcp_socket *s = &found.sockets[i];
    uint32_t drops = s->drops < 0 ? 0 : (uint32_t)s->drops;
    see(f, &(struct listening){s->inode, s->receive_queue, s->send_queue, drops, &s->local});
  }
  sock_diag_free(&found);
  return result;
}

/* A kernel without unix_diag shows none. */
static int foreign_see_unix(foreign *f, foreign_see_one *see) {
  struct unix_listener_list found;
  int result = unix_listeners_read(f->ns, &found);
  for (size_t i = 0; result >= 0 && i < found.count; i++) {
    const struct unix_listener *u = &found.listeners[i];
    see(f, &(struct listening){u->inode, u->depth, u->limit, 0, &u->local});
  }
  unix_listeners_free(&found);
  return result == -ENOENT ? 0 : result;
}

static void foreign_forget_gone(foreign *f) {
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

static int foreign_see_all(foreign *f) {
  foreign_see_one *see = f->is_watch ? foreign_see_target : foreign_see;
  for (size_t i = 0; i < f->count; i++) f->seen[i].is_there = false;
  f->peak.drops = 0;
  int result = foreign_see_tcp(f, see);
  if (result >= 0) result = foreign_see_unix(f, see);
  if (result >= 0) f->peak.looks++;
  if (result >= 0) foreign_forget_gone(f);
  if (result >= 0) result = f->search_failed;
  if (f->has_tree) process_tree_free(&f->tree);
  f->has_tree = false;
  return result;
}

/* Counts processor time, since another program may have had the processor meanwhile. */
static int foreign_look(foreign *f) {
  uint64_t began_ns = clock_spent_ns();
  f->searched_ns = 0;
  f->search_failed = 0;
  int result = foreign_see_all(f);
  if (result < 0 && !f->has_failed) trace_append(f->trace, &f->program, EVENT_SOCKETS, 0, result);
  f->has_failed = result < 0;
  uint64_t earned_ns = SHARE * (clock_spent_ns() - began_ns - f->searched_ns);
  f->next_ns = clock_now_ns() + (earned_ns > PAUSE_NS ? earned_ns : PAUSE_NS);
  return result;
}

static void foreign_ask(struct trace_probe *p, bool is_noteworthy) {
  foreign *f = LIST_ENTRY(p, foreign, probe);
  if (is_noteworthy || clock_now_ns() >= f->next_ns) foreign_look(f);
}

/* -- now and then -------------------------------------------------------------------------- */

static void foreign_arm(const foreign *f) {
  struct itimerspec once = {.it_value = clock_timespec(f->every_ns)};
  timerfd_settime(f->timer, 0, &once, NULL);
}

/* Arms the timer again each time: a periodic timerfd goes on only when somebody reads its count. */
static void foreign_on_tick(void *owner, int events) {
  foreign *f = owner;
  (void)events;
  if (!f->is_watch && !trace_is_probing(f->trace)) return;
  if (clock_now_ns() >= f->next_ns) foreign_look(f);
  foreign_arm(f);
}

/* Not one of the loop's deadlines, because those keep the processor awake. */
static int foreign_begin_timer(foreign *f) {
  f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (f->timer == -1) return -errno;
  int result = watch_begin(loop_watches(f->lp), f->timer, WATCH_READABLE, foreign_on_tick, f);
  if (result < 0) {
    close(f->timer);
    f->timer = -1;
  } else {
    foreign_arm(f);
  }
  return result;
}

static void foreign_end_timer(foreign *f) {
  if (f->timer == -1) return;
  watch_end(loop_watches(f->lp), f->timer);
  close(f->timer);
}

static foreign *foreign_new(loop *lp, int ns, const struct trace_socket *about, uint64_t every_ns) {
  foreign *f = calloc(1, sizeof *f);
  if (f == NULL) return NULL;
  f->lp = lp;
  f->trace = loop_trace(lp);
  f->ns = ns;
  f->program = *about;
  f->every_ns = every_ns;
  f->timer = -1;
  f->probe.ask = foreign_ask;
  trace_probe_open(f->trace, &f->probe);
  return f;
}

/* If no descriptor is left for the timer, only events cause looks. */
foreign *foreign_open(loop *lp, int ns, const struct trace_socket *program, pid_t guard,
                      pid_t number) {
  foreign *f = foreign_new(lp, ns, program, EVERY_NS);
  if (f == NULL) return NULL;
  f->guard = guard;
  f->number = number;
  foreign_begin_timer(f);
  return f;
}

int foreign_watch(loop *lp, const struct trace_socket *about, const struct foreign_target *target,
                  uint64_t every_ns, foreign **out) {
  foreign *f = foreign_new(lp, target->ns, about, every_ns);
  if (f == NULL) return -ENOMEM;
  f->is_watch = true;
  f->target = *target;
  int result = foreign_begin_timer(f);
  if (result == 0) result = foreign_look(f);
  if (result < 0)
    foreign_close(f);
  else
    *out = f;
  return result;
}

int foreign_read_peak(foreign *f, struct foreign_peak *out) {
  int result = foreign_look(f);
  *out = f->peak;
  return result;
}

void foreign_close(foreign *f) {
  if (f == NULL) return;
  if (trace_is_probing(f->trace)) foreign_look(f);
  trace_probe_close(&f->probe);
  foreign_end_timer(f);
  free(f->seen);
  free(f);
}
