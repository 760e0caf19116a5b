#include "handle/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/op.h"
#include "handle/watch.h"
#include "platform/clock.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/namespace_file.h"
#include "platform/packet.h"

/* Frames to read at one go: however fast a program sends, other tasks get their turn. */
enum { READ_MOST = 64 };

/* Frames to send at one go, before the wire reads the answers to them. */
enum { SEND_MOST = 16 };

/* The loop stops sleeping this long before a frame's time: waking takes it about 60 us. */
enum { AWAKE_NS = 100 * 1000 };

struct frame {
  struct frame *next;
  uint64_t due_ns; /* when to send the frame on */
  size_t length;
  char notes_and_frame[];
};

/* One direction of the wire. */
struct lane {
  op op; /* waits until shortly before the first frame's time */
  wire *wire;
  int in, out; /* indices of the inner ends */
  uint64_t delay_ns;
  struct frame *first, *last;
  size_t bytes; /* on the way */
};

struct wire {
  handle handle;
  loop *lp;
  const host *hosts[2];
  int fd;                 /* the packet socket in the namespace of the inner ends; -1: none */
  struct nl_sock *routes; /* for that namespace, which these two sockets keep alive */
  struct lane lanes[2];
  size_t capacity;   /* of each lane */
  uint64_t empty_ns; /* when the socket was last empty: no later frame is older */
  struct wire_statistics statistics;
  char *buffer; /* PACKET_LONGEST bytes */
};

/* The inner ends form a group, so that one request deletes both. */
static const char *const inner_names[2] = {"w0", "w1"};
enum { INNER_GROUP = 1 };

/* -- frames -------------------------------------------------------------------------------- */

static void wire_send_on(struct lane *n, uint64_t due_ns, const char *notes_and_frame,
                         size_t length) {
  wire *w = n->wire;
  uint64_t late_ns = clock_now_ns() - due_ns;
  if (packet_send(w->fd, n->out, notes_and_frame, length) < 0) {
    w->statistics.dropped++;
    return;
  }
  w->statistics.forwarded++;
  w->statistics.late_ns += late_ns;
  if (late_ns > w->statistics.late_most_ns) w->statistics.late_most_ns = late_ns;
}

static struct frame *wire_new_frame(const struct lane *n, const char *notes_and_frame,
                                    size_t length) {
  if (length > n->wire->capacity - n->bytes) return NULL;
  struct frame *f = malloc(sizeof *f + length);
  if (f == NULL) return NULL;
  f->next = NULL;
  f->length = length;
  memcpy(f->notes_and_frame, notes_and_frame, length);
  return f;
}

static void wire_append(struct lane *n, struct frame *f) {
  /* Keep the order, even if two processors stamped at once or somebody set the wall clock. */
  if (n->first != NULL && f->due_ns < n->last->due_ns) f->due_ns = n->last->due_ns;
  if (n->first == NULL)
    n->first = f;
  else
    n->last->next = f;
  n->last = f;
  n->bytes += f->length;
}

static void wire_take(struct lane *n, const struct packet *p) {
  /* No delay for frames that resolve an address: that happens on a short link, not along the path
   * that the delay stands for. With a delay the first round trip would take twice as long as the
   * second. */
  if (packet_resolves_address(p->notes_and_frame, p->length)) {
    wire_send_on(n, p->arrived_ns, p->notes_and_frame, p->length);
    return;
  }
  struct frame *f = wire_new_frame(n, p->notes_and_frame, p->length);
  if (f == NULL) {
    n->wire->statistics.dropped++;
    return;
  }
  f->due_ns = p->arrived_ns + n->delay_ns;
  wire_append(n, f);
}

static void wire_drop_first(struct lane *n) {
  struct frame *f = n->first;
  n->first = f->next;
  n->bytes -= f->length;
  free(f);
}

/* -- the two directions -------------------------------------------------------------------- */

static void wire_lane_due(op *o);

static void wire_wait_for_first(struct lane *n) {
  op *o = &n->op;
  if (n->first == NULL || o->state != OP_IDLE) return;
  uint64_t due_ns = n->first->due_ns, now_ns = clock_now_ns();
  op_start(o, loop_ops(n->wire->lp), due_ns - AWAKE_NS);
  o->owner = n;
  o->done = wire_lane_due;
  if (due_ns > now_ns + AWAKE_NS) op_wait(o, NULL);
  if (o->state == OP_WAITING) return;
  op_end(o, 0);
  op_postpone(o);
}

/* Returns false if there is no frame. */
static bool wire_read_frame(wire *w) {
  struct packet p = {.notes_and_frame = w->buffer};
  uint64_t asked_ns = clock_now_ns();
  int result = packet_receive(w->fd, &p);
  if (result == -EAGAIN) w->empty_ns = asked_ns;
  if (result == -EMSGSIZE || result == -EINVAL) w->statistics.dropped++;
  if (result < 0) return result != -EAGAIN;
  if (p.arrived_ns < w->empty_ns) p.arrived_ns = w->empty_ns;
  for (int i = 0; i < 2; i++)
    if (w->lanes[i].in == p.interface) wire_take(&w->lanes[i], &p);
  return true;
}

/* Returns whether it has read all frames. */
static bool wire_read_frames(wire *w) {
  int count = 0;
  while (count < READ_MOST && wire_read_frame(w)) count++;
  wire_wait_for_first(&w->lanes[0]);
  wire_wait_for_first(&w->lanes[1]);
  return count < READ_MOST;
}

/* A frame may cause answers at once: the kernel delivers it, and lets the receiver answer, within
 * the call. Reading now and then keeps the sockets' buffers, which may be small, from overflowing.
 * Reading after every frame would hold up the receiver. */
static void wire_send_due(struct lane *n) {
  uint64_t now_ns = clock_now_ns();
  for (int sent = 1; n->first != NULL && n->first->due_ns <= now_ns; sent++) {
    struct frame *f = n->first;
    wire_send_on(n, f->due_ns, f->notes_and_frame, f->length);
    wire_drop_first(n);
    if (sent % SEND_MOST == 0) wire_read_frames(n->wire);
  }
}

static void wire_lane_due(op *o) {
  struct lane *n = o->owner;
  wire_send_due(n);
  op_idle(o);
  wire_wait_for_first(n);
}

static void wire_on_readable(void *owner, int events) {
  wire *w = owner;
  (void)events;
  if (!wire_read_frames(w)) watch_again(loop_watches(w->lp), w->fd);
}

/* -- opening and closing ------------------------------------------------------------------- */

/* Keeps the namespace from sending frames of its own. Without an address it sends nothing over
 * IPv4. But IPv6 would give itself an address and ask for routers. */
static int wire_keep_silent(int ns) {
  ssize_t result = namespace_write_file(ns, "/proc/sys/net/ipv6/conf/all/disable_ipv6", "1", 1);
  return result == -ENOENT || result > 0 ? 0
                                         : (int)result; /* a kernel without IPv6 has no such file */
}

static int wire_open_namespace(wire *w) {
  int ns = namespace_open();
  if (ns < 0) return ns;
  int result = wire_keep_silent(ns);
  if (result == 0) result = link_open(ns, &w->routes);
  if (result == 0) result = w->fd = packet_open(ns);
  namespace_close(ns);
  return result < 0 ? result : 0;
}

static int wire_open_end(wire *w, int i, const struct wire_end *end) {
  int outer_ns = host_namespace(end->host);
  int result = link_create_pair(w->routes, inner_names[i], outer_ns, end->interface);
  if (result == 0) result = link_set_group(w->routes, inner_names[i], INNER_GROUP);
  if (result < 0) return result;
  int index = packet_admit(w->fd, inner_names[i]);
  if (index < 0) return index;
  w->lanes[i].in = w->lanes[1 - i].out = index;
  return link_set_up(host_routes(end->host), end->interface);
}

static int wire_open_parts(wire *w, const struct wire_end ends[2]) {
  w->buffer = malloc(PACKET_LONGEST);
  int result = w->buffer == NULL ? -ENOMEM : wire_open_namespace(w);
  for (int i = 0; i < 2 && result == 0; i++) result = wire_open_end(w, i, &ends[i]);
  return result < 0 ? result
                    : watch_begin(loop_watches(w->lp), w->fd, WATCH_READABLE, wire_on_readable, w);
}

static void wire_close_lane(struct lane *n) {
  op_forget(&n->op);
  for (; n->first != NULL; n->wire->statistics.dropped++) wire_drop_first(n);
}

static int wire_close(handle *h) {
  wire *w = (wire *)h;
  wire_close_lane(&w->lanes[0]);
  wire_close_lane(&w->lanes[1]);
  if (w->fd >= 0) {
    watch_end(loop_watches(w->lp), w->fd);
    w->statistics.dropped += packet_dropped(w->fd);
    packet_close(w->fd);
    w->fd = -1;
  }
  if (w->routes != NULL) {
    link_delete_group(w->routes, INNER_GROUP); /* deletes the hosts' ends too */
    link_close(w->routes);
  }
  free(w->buffer);
  return 0;
}

/* Only while open: a closed wire may have outlived its hosts. */
static void wire_describe(const handle *h, char *text, size_t size) {
  const wire *w = (const wire *)h;
  if (h->is_open)
    snprintf(text, size, "of %s and %s", host_name(w->hosts[0]), host_name(w->hosts[1]));
}

static const struct handle_type wire_type = {"wire", wire_close, NULL, NULL, wire_describe};

static wire *wire_new(loop *lp, const struct wire_end ends[2], size_t capacity) {
  wire *w = calloc(1, sizeof *w);
  if (w == NULL) return NULL;
  w->lp = lp;
  w->fd = -1;
  w->capacity = capacity;
  for (int i = 0; i < 2; i++) {
    w->hosts[i] = ends[i].host;
    w->lanes[i].wire = w;
    w->lanes[i].delay_ns = ends[i].delay_ns;
    list_init(&w->lanes[i].op.link);
  }
  return w;
}

int wire_open(loop *lp, scope *s, const struct wire_end ends[2], size_t capacity, wire **out) {
  wire *w = wire_new(lp, ends, capacity);
  if (w == NULL) return -ENOMEM;
  int result = wire_open_parts(w, ends);
  if (result < 0) {
    wire_close(&w->handle);
    free(w);
    return result;
  }
  handle_open(&w->handle, &wire_type,
              &(struct place){.scope = s, .host = host_number(ends[0].host)});
  w->handle.far_host = host_number(ends[1].host);
  *out = w;
  return 0;
}

/* -- state and statistics ------------------------------------------------------------------ */

int wire_is_up(const wire *w) {
  int first = link_is_up(w->routes, inner_names[0]);
  return first == 1 ? link_is_up(w->routes, inner_names[1]) : first;
}

void wire_read_statistics(wire *w, struct wire_statistics *out) {
  if (w->handle.is_open) w->statistics.dropped += packet_dropped(w->fd);
  *out = w->statistics;
}
