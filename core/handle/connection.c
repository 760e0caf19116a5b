#include "handle/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "handle/reader.h"
#include "handle/trace.h"
#include "handle/watch.h"
#include "platform/shared_socket.h"
#include "platform/source.h"

struct connection {
  handle handle;
  gate *gate; /* the one that counts this connection; NULL: none */
  int fd;
  int ended;    /* the error of the last receive, or behind its bytes; 0: none */
  list readers; /* receive ops, in order */
  list writers; /* a connect op or send ops, in order */
  reader reader;
  idler idler;
  struct trace_socket socket; /* has the peer, unless it is a Unix socket */
  uint16_t seen;              /* all events so far, as bits */
  bool is_empty : 1;          /* skip the next attempt to receive and wait for epoll */
  bool left_some : 1;         /* the last receive left bytes that it had seen */
  bool is_shut : 1;           /* this side has ended its sending, with a FIN on TCP */
  bool is_deaf : 1;           /* this side has ended its receiving */
  bool is_shared : 1;         /* a program has the socket, too */
  bool is_mptcp : 1;
};

static trace *connection_trace(const connection *c) { return loop_trace(loop_of(c)); }
static bool connection_is_unix(const connection *c) { return c->socket.peer.family == 0; }

static void connection_record(connection *c, enum event_kind kind, int64_t bytes, ssize_t code) {
  trace_record(connection_trace(c), &c->socket, kind, bytes, (int32_t)code);
}

static void connection_record_op(connection *c, const op *o, enum event_kind kind, int64_t bytes,
                                 ssize_t code) {
  trace_record_wait(connection_trace(c), &c->socket, kind, bytes, (int32_t)code, o->waits_since_ns);
}

static void connection_end(connection *c, enum event_kind kind, void (*close_socket)(int fd)) {
  if (c->is_shared)
    watch_end_shared(loop_watches(loop_of(c)), c->fd);
  else
    watch_end(loop_watches(loop_of(c)), c->fd);
  close_socket(c->fd);
  held_free(&c->reader.held);
  connection_record(c, kind, 0, 0);
  op_end_all(&c->readers, OP_CLOSED);
  op_end_all(&c->writers, OP_CLOSED);
  if (c->gate != NULL) gate_leave(c->gate);
  c->gate = NULL;
  idler_leave(&c->idler);
}

static int connection_close(handle *h) {
  connection_end((connection *)h, EVENT_CLOSE, socket_close);
  return 0;
}

/* Resets the connection: unsent data would keep the namespace alive. */
static void connection_abort(handle *h) {
  connection *c = (connection *)h;
  if (connection_is_unix(c))
    connection_close(h);
  else
    connection_end(c, EVENT_RESET, socket_reset);
}

/* There is something to read. */
static void connection_read_on(connection *c) {
  op_attempt_all(&c->readers);
  idler_wake(&c->idler);
}

int connection_dissolve(connection *c) {
  if (connection_is_unix(c)) return -EOPNOTSUPP;
  int result = socket_dissolve(c->fd);
  connection_record(c, EVENT_DISSOLVE, 0, result);
  if (result < 0) return result;
  c->is_empty = false;
  reader_broken(&c->reader, -ECONNRESET); /* also after this side's FIN it is no orderly end */
  connection_read_on(c);
  op_attempt_all(&c->writers);
  return 0;
}

int connection_reset(connection *c) {
  if (connection_is_unix(c)) return -EOPNOTSUPP;
  handle_abort(c);
  return 0;
}

static void connection_describe_stream(const connection *c, char *text, size_t size) {
  static const char *const streams[] = {"", "stdin", "stdout", "stderr"};
  const char *program = trace_label_text(connection_trace(c), c->socket.label);
  snprintf(text, size, "%s of %s", streams[c->socket.stream], program == NULL ? "?" : program);
}

/* "10.0.0.1:80 -> 10.0.0.2:40000", or "stdout of PROGRAM". */
static void connection_describe(const handle *h, char *text, size_t size) {
  char local_text[ADDRESS_TEXT], peer_text[ADDRESS_TEXT];
  address local = {0}, peer = {0};
  const connection *c = (const connection *)h;
  if (!h->is_open) return;
  if (c->socket.stream != 0) {
    connection_describe_stream(c, text, size);
    return;
  }
  connection_local(c, &local);
  connection_peer(c, &peer);
  snprintf(text, size, "%s -> %s", address_format(&local, local_text),
           address_format(&peer, peer_text));
}

static const struct handle_type connection_type = {"connection", connection_close, connection_abort,
                                                   NULL, connection_describe};

int connection_open(loop *lp, const struct place *p, int fd, connection **out) {
  connection *c = calloc(1, sizeof *c);
  if (c == NULL) return -ENOMEM;
  c->fd = fd;
  list_init(&c->readers);
  list_init(&c->writers);
  c->socket.id = loop_next_socket(lp);
  c->socket.host = p->host;
  c->socket.label = p->label;
  handle_open(&c->handle, &connection_type, p);
  *out = c;
  return 0;
}

/* Only an observed run needs to know the local address, so only such a run pays for the system
 * call. */
static void connection_find_local(connection *c) {
  address local, peer;
  if (!trace_is_probing(connection_trace(c)) || socket_local(c->fd, &local) < 0) return;
  if (address_is_any(&local) && address_port(&local) != 0) { /* refused at once */
    trace_end_get(connection_trace(c), &c->socket.peer, &peer);
    source_find(c->fd, &peer, &local);
  }
  trace_end_set(connection_trace(c), &c->socket.local, &local);
}

void connection_accepted(connection *c, const op *o, const address *peer, const address *local,
                         gate *g) {
  trace_end_set(connection_trace(c), &c->socket.local, local);
  trace_end_set(connection_trace(c), &c->socket.peer, peer);
  if (address_is_any(local)) connection_find_local(c);
  c->gate = g;
  gate_enter(g);
  connection_record_op(c, o, EVENT_ACCEPT, 0, 0);
}

void connection_of_mptcp(connection *c) { c->is_mptcp = true; }

void connection_of_program(connection *c, uint8_t stream) { c->socket.stream = stream; }

static void connection_on_ready(void *owner, int events) {
  connection *c = owner;
  c->seen |= (uint16_t)events;
  c->is_empty = false;
  if (events & WATCH_READABLE) connection_read_on(c);
  if (events & WATCH_WRITABLE) op_attempt_all(&c->writers);
}

/* Makes the call at once unless older ops wait. Waits only if the call would block. */
static void connection_start(connection *c, op *o, list *queue, int events) {
  if (!c->handle.is_open) {
    op_end(o, OP_CLOSED);
    return;
  }
  if (list_empty(queue) && o->kind->attempt(o)) return;
  op_wait(o, queue);
  if (op_ended(o)) return; /* its deadline does not let it wait */
  if (!watch_is_on(loop_watches(loop_of(c)), c->fd, events)) op_put_off(o);
}

static void connection_subscribe(op *o, list *queue, int events) {
  connection *c = o->owner;
  c->is_empty = false;
  op_attempt_all(queue);
  if (op_ended(o)) return;
  int result = watch_begin(loop_watches(loop_of(c)), c->fd, events, connection_on_ready, c);
  if (result < 0) op_end(o, result);
}

static void connection_subscribe_reading(op *o) {
  connection_subscribe(o, &((connection *)o->owner)->readers, WATCH_READABLE);
}

static void connection_subscribe_writing(op *o) {
  connection_subscribe(o, &((connection *)o->owner)->writers, WATCH_WRITABLE);
}

/* Returns whether the handshake has ended. */
static bool connection_attempt_connect(op *o) {
  connection *c = o->owner;
  address peer;
  connection_peer(c, &peer);
  int result = socket_connect(c->fd, &peer);
  if (result == -EALREADY) {
    result = socket_connect_error(c->fd);
    if (result == 0) return false;
  }
  op_end(o, result);
  return true;
}

/* A connect to 0.0.0.0 or :: reaches this host: finds the address that it reached. */
static void connection_find_peer(connection *c) {
  address peer;
  trace_end_get(connection_trace(c), &c->socket.peer, &peer);
  if (address_is_any(&peer) && socket_peer(c->fd, &peer) == 0)
    trace_end_set(connection_trace(c), &c->socket.peer, &peer);
}

static void connection_connect_ended(op *o) {
  connection *c = o->owner;
  if (o->result == 0) connection_find_peer(c);
  connection_find_local(c);
  connection_record_op(c, o, EVENT_CONNECT, 0, o->result);
}

static const struct op_kind connect_kind = {connection_attempt_connect,
                                            connection_subscribe_writing, connection_connect_ended};

void connection_connect(connection *c, const address *peer, op *o) {
  trace_end_set(connection_trace(c), &c->socket.peer, peer);
  o->owner = c;
  o->kind = &connect_kind;
  int result = socket_connect(c->fd, peer);
  if (result == -EINPROGRESS) /* on loopback the handshake is often over by now */
    connection_start(c, o, &c->writers, WATCH_WRITABLE);
  else
    op_end(o, result);
}

/* EINPROGRESS: this send has begun the handshake that TCP_FASTOPEN_CONNECT had put off. */
static bool connection_would_block(ssize_t sent) { return sent == -EAGAIN || sent == -EINPROGRESS; }

/* Sends even 0 bytes: only the kernel knows whether more can be sent. */
static bool connection_attempt_send(op *o) {
  connection *c = o->owner;
  do {
    ssize_t sent =
      socket_send(c->fd, o->as.send.data + o->as.send.sent, o->as.send.length - o->as.send.sent);
    if (connection_would_block(sent)) return false;
    if (sent < 0) return op_end(o, sent), true;
    o->as.send.sent += (size_t)sent;
  } while (o->as.send.sent < o->as.send.length);
  o->filled = o->as.send.length;
  op_end(o, (ssize_t)o->as.send.length);
  return true;
}

/* EPIPE means that this side has shut down, or that the peer reads no more. The peer's bytes are
 * whole. */
static bool connection_breaks_reading(ssize_t sent) {
  bool is_kernels = sent < 0 && sent > OP_TIMEOUT;
  return is_kernels && sent != -EPIPE && sent != -ENOMEM && sent != -ENOBUFS;
}

static void connection_send_ended(op *o) {
  connection *c = o->owner;
  if (connection_breaks_reading(o->result)) reader_broken(&c->reader, (int)o->result);
  connection_record_op(c, o, EVENT_SEND, (int64_t)o->as.send.sent, o->result < 0 ? o->result : 0);
  /* The answer has hardly come yet: the next receive lets other tasks run first. */
  if (!c->left_some && !watch_is_on(loop_watches(loop_of(c)), c->fd, WATCH_READABLE))
    c->is_empty = true;
}

static const struct op_kind send_kind = {connection_attempt_send, connection_subscribe_writing,
                                         connection_send_ended};

void connection_send(connection *c, op *o) {
  o->as.send.sent = 0;
  o->owner = c;
  o->kind = &send_kind;
  connection_start(c, o, &c->writers, WATCH_WRITABLE);
}

/* A receive that got less than it asked for has drained the socket, and epoll(7) reports the next
 * byte. There are two exceptions. After a FIN, an error or urgent data, epoll may have nothing more
 * to report. And a Unix socket also stops a receive at passed descriptors. */
static bool connection_gets_all(const connection *c) {
  bool has_bytes_only = (c->seen & (WATCH_READABLE | WATCH_MARK)) == WATCH_READABLE;
  return has_bytes_only && !connection_is_unix(c);
}

static bool connection_asks_in_vain(const connection *c, const op *o) {
  bool has_none = held_length(&c->reader.held) == 0 && !c->reader.is_unreported;
  return c->is_empty && has_none && !reader_wants_none(o) && o->deadline.at_ns != DEADLINE_POLL;
}

static bool connection_attempt_receive(op *o) {
  connection *c = o->owner;
  if (connection_asks_in_vain(c, o)) return false;
  bool has_ended = reader_attempt(c->fd, &c->reader, o);
  c->is_empty = o->as.receive.got_less && connection_gets_all(c);
  c->left_some = o->as.receive.left_some;
  if (o->as.receive.has_more) watch_again(loop_watches(loop_of(c)), c->fd);
  return has_ended;
}

static void connection_receive_ended(op *o) {
  connection *c = o->owner;
  c->ended = o->result < 0 ? (int)o->result : o->as.receive.cut;
  bool has_taken = o->result >= 0 || o->as.receive.what >= DISCARD_EXACTLY;
  connection_record_op(c, o, EVENT_RECEIVE, has_taken ? (int64_t)o->as.receive.taken : 0,
                       o->result < 0 ? o->result : 0);
  /* The next op may need only the held bytes, and the kernel reports those no more. */
  bool is_given_up = o->result == OP_TIMEOUT || o->result == OP_CANCELED;
  c->idler.is_unread = false;
  if (is_given_up && held_length(&c->reader.held) > 0) op_attempt_all(&c->readers);
}

static const struct op_kind receive_kind = {connection_attempt_receive,
                                            connection_subscribe_reading, connection_receive_ended};

void connection_receive(connection *c, op *o) {
  o->as.receive.taken = 0;
  o->as.receive.copies = connection_is_unix(c) || c->is_mptcp;
  o->owner = c;
  o->kind = &receive_kind;
  connection_start(c, o, &c->readers, WATCH_READABLE);
}

connection *connection_of_idler(idler *one) { return LIST_ENTRY(one, connection, idler); }
bool connection_is_unread(const connection *c) { return c->idler.is_unread; }

/* The kernel reports what is there by now to a watch that begins, and to one that asks again. A
 * drained socket needs neither. The held bytes were too few for a receive that took too long. */
int connection_idle(connection *c, idlers *all) {
  int result = 0;
  bool has_some = held_length(&c->reader.held) > 0 || c->reader.is_unreported;
  idlers_add(all, &c->idler);
  if (has_some && c->ended != OP_TIMEOUT)
    idler_wake(&c->idler);
  else if (!watch_is_on(loop_watches(loop_of(c)), c->fd, WATCH_READABLE))
    result = watch_begin(loop_watches(loop_of(c)), c->fd, WATCH_READABLE, connection_on_ready, c);
  else if (!c->is_empty)
    watch_again(loop_watches(loop_of(c)), c->fd);
  if (result < 0) idler_leave(&c->idler);
  return result;
}

int connection_shutdown(connection *c, int how) {
  int result = socket_shutdown(c->fd, how);
  connection_record(c, EVENT_SHUTDOWN, how, result);
  if (result < 0) return result;
  /* End the waiting calls now. The kernel may not report the shutdown: on a full Unix socket it
   * does not (unix_poll). */
  if (how != SHUT_RD) {
    c->is_shut = true;
    op_attempt_all(&c->writers);
  }
  if (how != SHUT_WR) {
    c->is_deaf = true;
    c->is_empty = false;
    connection_read_on(c);
  }
  return 0;
}

void connection_was_set(connection *c, const char *words, int result) {
  trace_record_text(connection_trace(c), &c->socket, EVENT_SET, words, result);
}

int connection_share(connection *c, bool blocks) {
  int result = shared_socket_set_blocking(c->fd, blocks);
  if (result < 0) return result;
  c->is_shared = true;
  return c->fd;
}

int connection_descriptor(const connection *c) { return c->fd; }
size_t connection_held(const connection *c) { return held_length(&c->reader.held); }
int connection_ended(const connection *c) { return c->ended; }

int connection_liveness(connection *c, enum liveness *out) {
  int result = socket_liveness(c->fd, c->is_shut, c->is_deaf, c->is_mptcp, out);
  if (result == 0 && c->reader.broken != 0 && !connection_is_unix(c)) *out = LIVENESS_RESET;
  return result;
}

int connection_local(const connection *c, address *out) { return socket_local(c->fd, out); }

int connection_peer(const connection *c, address *out) {
  if (connection_is_unix(c)) return socket_peer(c->fd, out);
  /* The trace first: after an RST the kernel has forgotten the peer. */
  bool is_known = trace_end_get(connection_trace(c), &c->socket.peer, out);
  int result = is_known ? 0 : socket_peer(c->fd, out);
  if (result == 0) socket_name_zone(c->fd, out);
  return result;
}
