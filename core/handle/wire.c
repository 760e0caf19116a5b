#include "handle/wire.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle/op.h"
#include "handle/watch.h"
#include "platform/clock.h"
#include "platform/frame.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/namespace_file.h"
#include "platform/packet.h"

/* Frames to read at one go: however fast a program sends, other tasks get their turn. */
enum { READ_MOST = 64 };

struct wire {
  handle handle;
  loop *lp;
  const host *hosts[2];
  int fd;                 /* the packet socket in the namespace of the inner ends; -1: none */
  struct nl_sock *routes; /* for that namespace, which these two sockets keep alive */
  int inner[2];           /* indices of the inner ends, by host */
  lane *lanes[2];         /* by the host that sends */
  hands *hands;
  char outer[2][IF_NAMESIZE]; /* the names of the hosts' ends */
  bool cuts;                  /* the hosts send single segments with whole checksums */
  uint64_t empty_ns;          /* when the socket was last empty: no later frame is older */
  uint64_t unread;            /* frames that came faster than the loop read them */
  char *buffer;               /* PACKET_LONGEST bytes */
};

/* The inner ends form a group, so that one request deletes both. */
static const char *const inner_names[2] = {"w0", "w1"};
enum { INNER_GROUP = 1 };

/* -- reading ------------------------------------------------------------------------------- */

/* Returns false if there is no frame. */
static bool wire_read_frame(wire *w) {
  struct packet p = {.notes_and_frame = w->buffer};
  uint64_t asked_ns = clock_now_ns();
  int result = packet_receive(w->fd, &p);
  if (result == -EAGAIN) w->empty_ns = asked_ns;
  if (result == -EMSGSIZE || result == -EINVAL) w->unread++;
  if (result < 0) return result != -EAGAIN;
  if (p.arrived_ns < w->empty_ns) p.arrived_ns = w->empty_ns;
  for (int i = 0; i < 2; i++)
    if (w->inner[i] == p.interface) lane_take(w->lanes[i], &p);
  return true;
}

/* Returns whether it has read all frames. */
static bool wire_read_frames(wire *w) {
  int count = 0;
  while (count < READ_MOST && wire_read_frame(w)) count++;
  lane_settle(w->lanes[0]);
  lane_settle(w->lanes[1]);
  return count < READ_MOST;
}

static void wire_read_answers(void *owner) { wire_read_frames(owner); }

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
  strncpy(w->outer[i], end->interface, IF_NAMESIZE - 1);
  if (result == 0 && w->cuts) result = link_send_segments(host_routes(end->host), w->outer[i]);
  if (result == 0) result = w->inner[i] = packet_admit(w->fd, inner_names[i]);
  return result < 0 ? result : link_set_up(host_routes(end->host), end->interface);
}

static int wire_open_lane(wire *w, int i, const struct wire_end *end, uint64_t seed) {
  struct lane_options o = {.chance = end->chance,
                           .seed = seed,
                           .number = (unsigned)i,
                           .from = end->host,
                           .fd = w->fd,
                           .out = w->inner[1 - i],
                           .hands = w->hands,
                           .rest = wire_read_answers,
                           .owner = w};
  return lane_open(w->lp, &o, &w->lanes[i]);
}

static int wire_open_parts(wire *w, const struct wire_end ends[2], uint64_t seed) {
  w->buffer = malloc(PACKET_LONGEST);
  int result = w->buffer == NULL ? -ENOMEM : hands_open(&w->hands);
  if (result == 0) result = wire_open_namespace(w);
  for (int i = 0; i < 2 && result == 0; i++) result = wire_open_end(w, i, &ends[i]);
  for (int i = 0; i < 2 && result == 0; i++) result = wire_open_lane(w, i, &ends[i], seed);
  return result < 0 ? result
                    : watch_begin(loop_watches(w->lp), w->fd, WATCH_READABLE, wire_on_readable, w);
}

static int wire_close(handle *h) {
  wire *w = (wire *)h;
  for (int i = 0; i < 2; i++)
    if (w->lanes[i] != NULL) lane_close(w->lanes[i]);
  if (w->hands != NULL) hands_close(w->hands);
  if (w->fd >= 0) {
    watch_end(loop_watches(w->lp), w->fd);
    w->unread += packet_dropped(w->fd);
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

static void wire_free(handle *h) {
  wire *w = (wire *)h;
  lane_free(w->lanes[0]);
  lane_free(w->lanes[1]);
  hands_free(w->hands);
}

/* Only while open: a closed wire may have outlived its hosts. */
static void wire_describe(const handle *h, char *text, size_t size) {
  const wire *w = (const wire *)h;
  if (h->is_open)
    snprintf(text, size, "of %s and %s", host_name(w->hosts[0]), host_name(w->hosts[1]));
}

static const struct handle_type wire_type = {"wire", wire_close, NULL, wire_free, wire_describe};

static wire *wire_new(loop *lp, const struct wire_end ends[2]) {
  wire *w = calloc(1, sizeof *w);
  if (w == NULL) return NULL;
  w->lp = lp;
  w->fd = -1;
  for (int i = 0; i < 2; i++) {
    w->hosts[i] = ends[i].host;
    w->cuts = w->cuts || chance_is_wanted(&ends[i].chance);
  }
  return w;
}

int wire_open(loop *lp, scope *s, const struct wire_end ends[2], uint64_t seed, wire **out) {
  wire *w = wire_new(lp, ends);
  if (w == NULL) return -ENOMEM;
  int result = wire_open_parts(w, ends, seed);
  if (result < 0) {
    wire_close(&w->handle);
    wire_free(&w->handle);
    free(w);
    return result;
  }
  handle_open(&w->handle, &wire_type,
              &(struct place){.scope = s, .host = host_number(ends[0].host)});
  w->handle.far_host = host_number(ends[1].host);
  *out = w;
  return 0;
}

/* -- hands --------------------------------------------------------------------------------- */

hands *wire_hands(const wire *w) { return w->hands; }

int wire_cut_into_segments(wire *w) {
  int result = 0;
  for (int i = 0; i < 2 && result == 0 && !w->cuts; i++)
    result = link_send_segments(host_routes(w->hosts[i]), w->outer[i]);
  if (result == 0) w->cuts = true;
  return result;
}

static void wire_admit(wire *w, int from, struct packet *p) {
  p->arrived_ns = clock_now_ns();
  lane_admit(w->lanes[from], p);
  lane_settle(w->lanes[from]);
}

void wire_release(wire *w, size_t number) {
  unsigned way;
  void *memory;
  struct packet p = hands_take(w->hands, number, &way, &memory);
  wire_admit(w, (int)way, &p);
  free(memory);
}

int wire_inject(wire *w, int from, const void *packet, size_t size) {
  uint8_t addresses[2][FRAME_ADDRESS], frame[PACKET_LONGEST] = {0};
  if (size > PACKET_LONGEST - PACKET_NOTES - FRAME_HEADER) return -EMSGSIZE;
  for (int i = 0; i < 2; i++) {
    int result = link_hardware_address(host_routes(w->hosts[i]), w->outer[i], addresses[i]);
    if (result < 0) return result;
  }
  size_t length =
    frame_make(frame + PACKET_NOTES, addresses[1 - from], addresses[from], packet, size);
  struct packet p = {.notes_and_frame = frame, .length = PACKET_NOTES + length};
  wire_admit(w, from, &p);
  return 0;
}

void wire_swallow(wire *w, int from, bool on) { lane_swallow(w->lanes[from], on); }

int wire_plug(wire *w, int end, bool on) {
  return on ? link_set_up(w->routes, inner_names[end]) : link_set_down(w->routes, inner_names[end]);
}

/* -- state and statistics ------------------------------------------------------------------ */

int wire_is_up(const wire *w) {
  int first = link_is_up(w->routes, inner_names[0]);
  return first == 1 ? link_is_up(w->routes, inner_names[1]) : first;
}

const lane *wire_lane(const wire *w, int from) { return w->lanes[from]; }

uint64_t wire_unread(wire *w) {
  if (w->handle.is_open) w->unread += packet_dropped(w->fd);
  return w->unread;
}
