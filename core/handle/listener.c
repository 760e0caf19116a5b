#include "handle/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handle/connection.h"
#include "handle/trace.h"
#include "handle/watch.h"
#include "platform/namespace.h"
#include "platform/shared_socket.h"
#include "platform/socket.h"

struct listener {
  handle handle;
  loop *lp;
  int fd;
  bool is_held;   /* an accept has not tried, since the gate was full */
  bool is_shut;   /* by SHUT_RD: accept(2) fails */
  bool is_shared; /* a program has the socket, too */
  bool is_mptcp;
  gate *gate;   /* NULL: closed */
  list waiting; /* accept ops, in order */
  address local;
  dev_t path_device; /* of the file that bind(2) made for a Unix address */
  ino_t path_inode;
  struct trace_socket socket;
  struct trace_probe probe;
  uint32_t depth, limit; /* as the trace recorded them last */
  uint32_t drops;        /* the same; 0: only a watch asks (foreign.h) */
  uint32_t known;        /* connections in the queue, at least */
  uint32_t mark;         /* SO_MARK of the listener and its connections; 0: none */
  bool is_first;         /* no listener without a mark was at this port before */
  uint64_t probed_at;    /* the trace's next event at the last probe */
};

static void listener_record(listener *l, enum event_kind kind, int64_t bytes, int code) {
  trace_record(loop_trace(l->lp), &l->socket, kind, bytes, code);
}

static void listener_probe_queue(struct trace_probe *p, bool is_noteworthy) {
  (void)is_noteworthy;
  listener *l = LIST_ENTRY(p, listener, probe);
  trace *t = loop_trace(l->lp);
  uint32_t depth, limit;
  /* A Unix queue costs a netlink round trip to read: too much for every event. */
  if (address_family(&l->local) == AF_UNIX || listener_queue(l, &depth, &limit) < 0) return;
  if (depth != l->depth || limit != l->limit)
    trace_append(t, &l->socket, EVENT_QUEUE, depth, (int32_t)limit);
  l->known = l->depth = depth;
  l->limit = limit;
  l->probed_at = trace_next(t);
}

static void listener_remember_path(listener *l) {
  struct stat status;
  const char *path = address_path(&l->local);
  if (path == NULL || stat(path, &status) == -1) return;
  l->path_device = status.st_dev;
  l->path_inode = status.st_ino;
}

/* Removes the file of a Unix address, unless somebody has replaced it. */
static void listener_forget_path(listener *l) {
  struct stat status;
  const char *path = address_path(&l->local);
  if (path == NULL || l->path_inode == 0 || stat(path, &status) == -1) return;
  if (status.st_dev == l->path_device && status.st_ino == l->path_inode) unlink(path);
}

static int listener_close(handle *h) {
  listener *l = (listener *)h;
  if (l->is_shared)
    watch_end_shared(loop_watches(l->lp), l->fd);
  else
    watch_end(loop_watches(l->lp), l->fd);
  listener_forget_path(l);
  socket_close(l->fd);
  trace_probe_close(&l->probe);
  listener_record(l, EVENT_CLOSE, 0, 0);
  op_end_all(&l->waiting, OP_CLOSED);
  gate_close(l->gate);
  l->gate = NULL;
  return 0;
}

static void listener_describe(const handle *h, char *text, size_t size) {
  char local[ADDRESS_TEXT];
  if (h->is_open) snprintf(text, size, "%s", address_format(&((const listener *)h)->local, local));
}

static const struct handle_type listener_type = {"listener", listener_close, NULL, NULL,
                                                 listener_describe};

/* A mark can mean something to the machine's own routes and firewall. It means nothing on a stack
 * that lunet made, or on the loopback. */
static bool listener_may_mark(const struct place *p, const address *local) {
  if (address_family(local) == AF_UNIX) return false;
  return p->host != 0 || address_is_loopback(local) || namespace_own_home() >= 0;
}

static void listener_set_mark(listener *l, const struct place *p) {
  uint32_t mark = loop_next_mark(l->lp);
  if (listener_may_mark(p, &l->local) && socket_mark(l->fd, mark) == 0) l->mark = mark;
}

static int listener_begin_listening(listener *l, const struct place *p, int backlog) {
  int result = socket_local(l->fd, &l->local);
  if (result < 0) return result;
  listener_set_mark(l, p); /* before the first SYN comes */
  result = socket_listen(l->fd, backlog);
  if (result == 0) result = socket_local(l->fd, &l->local);
  if (result == 0 && l->mark == 0) l->is_first = loop_take_port(l->lp, address_port(&l->local));
  return result;
}

static void listener_on_ready(void *owner, int events) {
  listener *l = owner;
  (void)events;
  if (l->known == 0) l->known = 1;
  op_attempt_all(&l->waiting);
}

/* If the gate has room again, the next poll attempts the waiting accepts. */
static void listener_admit(void *owner) {
  listener *l = owner;
  if (list_empty(&l->waiting) || !gate_has_room(l->gate)) return;
  int result = watch_begin(loop_watches(l->lp), l->fd, WATCH_READABLE, listener_on_ready, l);
  if (result < 0) op_end_all(&l->waiting, result);
  if (l->is_held) watch_again(loop_watches(l->lp), l->fd);
  l->is_held = false;
}

int listener_open(loop *lp, const struct place *p, int fd, int backlog, listener **out) {
  listener *l = calloc(1, sizeof *l);
  if (l == NULL) return -ENOMEM;
  l->lp = lp;
  l->fd = fd;
  l->gate = gate_open(listener_admit, l);
  list_init(&l->waiting);
  int result = l->gate == NULL ? -ENOMEM : listener_begin_listening(l, p, backlog);
  if (result < 0) {
    if (l->gate != NULL) gate_close(l->gate);
    free(l);
    return result;
  }
  listener_remember_path(l);
  l->is_mptcp = socket_is_mptcp(fd);
  l->socket.id = loop_next_socket(lp);
  trace_end_set(loop_trace(lp), &l->socket.local, &l->local);
  l->socket.host = p->host;
  l->socket.label = p->label;
  handle_open(&l->handle, &listener_type, p);
  trace_probe_open(loop_trace(lp), &l->probe);
  l->probe.ask = listener_probe_queue;
  listener_record(l, EVENT_LISTEN, backlog, 0);
  *out = l;
  return 0;
}

static int listener_open_accepted(listener *l, const op *o, int fd, const address *peer) {
  struct place p = {o->as.accept.scope, l->socket.host, l->socket.label};
  connection **out = o->as.accept.accepted;
  int result = connection_open(l->lp, &p, fd, out);
  if (result < 0)
    socket_reset(fd);
  else
    connection_accepted(*out, o, peer, &l->local, l->gate);
  if (result == 0 && l->is_mptcp && socket_is_mptcp(fd)) connection_of_mptcp(*out);
  return result;
}

/* accept(2) makes a socket and a file before it looks into the queue. On an empty queue it takes
 * about eight times as long as asking for the queue's length. */
static bool listener_is_queue_empty(listener *l, const op *o) {
  uint32_t limit;
  if (l->known > 0 || l->is_shut || address_family(&l->local) == AF_UNIX) return false;
  bool is_news = l->probed_at == trace_next(loop_trace(l->lp));
  if (is_news && o->deadline.at_ns != DEADLINE_POLL) return true; /* epoll reports the next */
  return listener_queue(l, &l->known, &limit) == 0 && l->known == 0;
}

static int listener_take(listener *l, const op *o, address *peer) {
  if (l->is_shared) return shared_socket_accept(l->fd, peer);
  if (listener_is_queue_empty(l, o)) return -EAGAIN;
  int result = socket_accept(l->fd, peer);
  if (result == -EAGAIN)
    l->known = 0;
  else if (result >= 0 && l->known > 0) /* after a failure it is still in the queue */
    l->known--;
  return result;
}

static bool listener_attempt_accept(op *o) {
  listener *l = o->owner;
  address peer;
  l->is_held = !gate_has_room(l->gate);
  if (l->is_held) return false;
  int result = listener_take(l, o, &peer);
  if (result == -EAGAIN) return false;
  if (result >= 0) result = listener_open_accepted(l, o, result, &peer);
  op_end(o, result);
  return true;
}

/* The connection has recorded its own accept: record only failures. */
static void listener_accept_ended(op *o) {
  listener *l = o->owner;
  if (o->result >= 0) return;
  trace_record_wait(loop_trace(l->lp), &l->socket, EVENT_ACCEPT, 0, (int32_t)o->result,
                    o->waits_since_ns);
}

/* Has no subscribe: listener_admit watches the descriptor at once, and it stays watched. */
static const struct op_kind accept_kind = {.attempt = listener_attempt_accept,
                                           .ended = listener_accept_ended};

void listener_accept(listener *l, scope *s, connection **out, op *o) {
  o->owner = l;
  o->kind = &accept_kind;
  o->as.accept.accepted = out;
  o->as.accept.scope = s;
  if (!l->handle.is_open) {
    op_end(o, OP_CLOSED);
    return;
  }
  if (list_empty(&l->waiting) && listener_attempt_accept(o)) return;
  op_wait(o, &l->waiting);
  listener_admit(l);
}

void listener_set_gate(listener *l, uint32_t limit) {
  listener_record(l, EVENT_GATE, limit == GATE_OPEN ? -1 : (int64_t)limit, 0);
  gate_set(l->gate, limit);
}

gate *listener_gate(listener *l) { return l->gate; }

int listener_queue(listener *l, uint32_t *depth, uint32_t *limit) {
  return socket_queue(l->fd, address_family(&l->local), depth, limit);
}

/* The kernel counts at the TCP socket of an MPTCP listener, which SO_MEMINFO does not reach. */
int listener_drops(listener *l, uint32_t *drops) {
  bool is_tcp = address_family(&l->local) != AF_UNIX && !l->is_mptcp;
  return is_tcp ? socket_drops(l->fd, drops) : -EOPNOTSUPP;
}

/* If the kernel had chosen the port, the shutdown freed it (tcp_set_state), and the kernel has now
 * chosen another. */
static int listener_listen_again(listener *l) {
  l->is_shut = false;
  int result = socket_local(l->fd, &l->local);
  if (result == 0) trace_end_set(loop_trace(l->lp), &l->socket.local, &l->local);
  return result;
}

int listener_resize(listener *l, int backlog) {
  int result = socket_listen(l->fd, backlog); /* a second listen(2) sets the new limit */
  if (result == 0 && l->is_shut) result = listener_listen_again(l);
  listener_record(l, EVENT_RESIZE, backlog, result);
  return result;
}

int listener_shutdown(listener *l, int how) {
  int result = socket_shutdown(l->fd, how);
  listener_record(l, EVENT_SHUTDOWN, how, result);
  if (result < 0 || how == SHUT_WR) return result;
  l->is_shut = true;
  l->known = 0;
  op_attempt_all(&l->waiting); /* they fail with EINVAL */
  return 0;
}

void listener_was_set(listener *l, const char *words, int result) {
  trace_record_text(loop_trace(l->lp), &l->socket, EVENT_SET, words, result);
}

int listener_descriptor(const listener *l) { return l->fd; }

int listener_share(listener *l, bool blocks) {
  int result = shared_socket_set_blocking(l->fd, blocks);
  if (result < 0) return result;
  l->is_shared = true;
  return l->fd;
}

const address *listener_address(const listener *l) { return &l->local; }
uint32_t listener_mark(const listener *l) { return l->mark; }
bool listener_is_first(const listener *l) { return l->is_first; }
uint32_t listener_inode(const listener *l) { return l->handle.is_open ? socket_inode(l->fd) : 0; }
uint16_t listener_host(const listener *l) { return l->socket.host; }

static bool listener_has_address(const listener *l, uint16_t host, const void *wanted_address) {
  const address *a = wanted_address;
  char local[ADDRESS_TEXT], wanted[ADDRESS_TEXT];
  int family = address_family(&l->local);
  if (family == AF_UNIX && address_family(a) == AF_UNIX)
    return strcmp(address_format(&l->local, local), address_format(a, wanted)) == 0;
  return family != AF_UNIX && l->socket.host == host && address_port(&l->local) == address_port(a);
}

typedef bool listener_fits(const listener *l, uint16_t host, const void *wanted);

static listener *listener_search(loop *lp, listener_fits *fits, uint16_t host, const void *wanted) {
  list *open = &loop_scopes(lp)->open;
  for (list *s = open->next; s != open; s = s->next) {
    list *handles = &LIST_ENTRY(s, scope, in_scopes)->handles;
    for (list *h = handles->next; h != handles; h = h->next) {
      handle *found = LIST_ENTRY(h, handle, in_scope);
      if (found->type == &listener_type && fits((listener *)found, host, wanted))
        return (listener *)found;
    }
  }
  return NULL;
}

static bool listener_has_inode(const listener *l, uint16_t host, const void *inode) {
  (void)host;
  return listener_inode(l) == *(const uint32_t *)inode;
}

bool listener_is_at(loop *lp, uint16_t host, const address *a) {
  return listener_search(lp, listener_has_address, host, a) != NULL;
}

listener *listener_find(loop *lp, uint32_t inode) {
  return listener_search(lp, listener_has_inode, 0, &inode);
}

void listener_saw_queue(listener *l, uint32_t depth, uint32_t limit, uint32_t drops) {
  if (depth == l->depth && limit == l->limit && drops == l->drops) return;
  l->depth = depth;
  l->limit = limit;
  l->drops = drops;
  trace_append_queue(loop_trace(l->lp), &l->socket, depth, limit, drops);
}
