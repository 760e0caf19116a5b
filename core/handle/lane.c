#include "handle/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle/flow.h"
#include "handle/op.h"
#include "handle/trace.h"
#include "platform/clock.h"
#include "platform/frame.h"

/* Frames to send at one go, before the wire reads the answers to them. */
enum { SEND_MOST = 16 };

/* The loop stops sleeping this long before a frame's time: waking takes it about 60 us. */
enum { AWAKE_NS = 100 * 1000 };

struct frame {
  list in_lane;
  uint64_t due_ns; /* when to send the frame on */
  size_t length;
  char notes_and_frame[];
};

struct lane {
  op op; /* waits until shortly before the first frame's time */
  loop *lp;
  struct lane_options options;
  struct trace_socket about; /* of its losses */
  struct chance data, house; /* frames that keep house or resolve an address have fates of their own
                              */
  bool is_plain;             /* leaves nothing to chance */
  bool swallows;
  flows *flows;
  list frames;      /* on the way, in the order of their times */
  size_t bytes;     /* of those */
  uint64_t free_ns; /* when the last frame has left a line of limited rate */
  struct lane_statistics statistics;
};

/* -- losses -------------------------------------------------------------------------------- */

static uint8_t *lane_frame_of(const struct packet *p) {
  return (uint8_t *)p->notes_and_frame + PACKET_NOTES;
}

static void lane_set_end(const lane *n, struct trace_end *e, const struct segment *s,
                         const uint8_t *bytes, uint16_t port) {
  address a = address_of_bytes(s->is_ipv6 ? AF_INET6 : AF_INET, bytes, port);
  trace_end_set(loop_trace(n->lp), e, &a);
}

static void lane_record_loss(lane *n, const struct packet *p, enum loss_cause cause) {
  struct segment s = {.at_ns = 0};
  struct trace_socket about = n->about;
  if (frame_read(lane_frame_of(p), p->length - PACKET_NOTES, &s)) {
    lane_set_end(n, &about.local, &s, s.from, s.from_port);
    lane_set_end(n, &about.peer, &s, s.to, s.to_port);
  }
  trace_append_loss(loop_trace(n->lp), &about, cause, &s);
}

static void lane_lose(lane *n, const struct packet *p, enum loss_cause cause) {
  n->statistics.dropped++;
  if (cause == LOSS_CAPACITY)
    n->statistics.over_capacity++;
  else if (cause == LOSS_CHANCE)
    n->statistics.lost++;
  else
    n->statistics.taken++;
  lane_record_loss(n, p, cause);
}

/* -- frames on their way ------------------------------------------------------------------- */

static void lane_send(lane *n, uint64_t due_ns, const char *notes_and_frame, size_t length) {
  uint64_t late_ns = clock_now_ns() - due_ns;
  struct lane_statistics *s = &n->statistics;
  if (packet_send(n->options.fd, n->options.out, notes_and_frame, length) < 0) {
    s->dropped++;
    return;
  }
  s->forwarded++;
  s->late_ns += late_ns;
  if (late_ns > LANE_LATE_NS) s->late++;
  if (late_ns > s->late_most_ns) s->late_most_ns = late_ns;
}

static struct frame *lane_new_frame(const struct packet *p, uint64_t due_ns) {
  struct frame *f = malloc(sizeof *f + p->length);
  if (f == NULL) return NULL;
  f->due_ns = due_ns;
  f->length = p->length;
  memcpy(f->notes_and_frame, p->notes_and_frame, p->length);
  return f;
}

static struct frame *lane_last(const lane *n) {
  return list_empty(&n->frames) ? NULL : LIST_ENTRY(n->frames.prev, struct frame, in_lane);
}

static struct frame *lane_first(const lane *n) {
  return list_empty(&n->frames) ? NULL : LIST_ENTRY(n->frames.next, struct frame, in_lane);
}

/* Behind the last frame that is not later. */
static void lane_insert(lane *n, struct frame *f) {
  list *behind = n->frames.prev;
  struct frame *first = lane_first(n);
  if (first != NULL && f->due_ns < first->due_ns) behind = &n->frames;
  while (behind != &n->frames && LIST_ENTRY(behind, struct frame, in_lane)->due_ns > f->due_ns)
    behind = behind->prev;
  list_append(behind->next, &f->in_lane);
  n->bytes += f->length;
}

/* Keeps the order unless chance is to change it, even if two processors stamped at once or somebody
 * set the wall clock. */
static uint64_t lane_due(lane *n, const struct packet *p, const struct fate *f) {
  const struct chance_settings *s = &n->options.chance;
  uint64_t from_ns = p->arrived_ns;
  if (s->rate > 0) {
    uint64_t begins_ns = n->free_ns > from_ns ? n->free_ns : from_ns;
    uint64_t bytes = p->length - PACKET_NOTES;
    from_ns = n->free_ns = begins_ns + (bytes * CLOCK_S + s->rate - 1) / s->rate;
  }
  uint64_t due_ns = from_ns + f->delay_ns;
  const struct frame *last = lane_last(n);
  bool may_overtake = f->overtakes || s->jitter_reorders;
  return last != NULL && !may_overtake && due_ns < last->due_ns ? last->due_ns : due_ns;
}

static bool lane_put(lane *n, const struct packet *p, uint64_t due_ns) {
  bool has_room = p->length <= n->options.chance.capacity - n->bytes;
  struct frame *f = has_room ? lane_new_frame(p, due_ns) : NULL;
  if (f == NULL)
    lane_lose(n, p, LOSS_CAPACITY);
  else
    lane_insert(n, f);
  return f != NULL;
}

static void lane_drop_first(lane *n) {
  struct frame *f = lane_first(n);
  list_remove(&f->in_lane);
  n->bytes -= f->length;
  free(f);
}

/* -- fates --------------------------------------------------------------------------------- */

static void lane_alter(lane *n, const struct packet *p, const struct fate *f) {
  uint8_t *frame = lane_frame_of(p);
  size_t length = p->length - PACKET_NOTES;
  if (f->is_marked && frame_mark(frame, length)) n->statistics.marked++;
  if (f->is_corrupted) frame_corrupt(frame, length, f->corrupt_where);
}

static void lane_follow_fate(lane *n, struct packet *p, const struct fate *f) {
  if (f->is_lost) {
    lane_lose(n, p, LOSS_CHANCE);
    return;
  }
  lane_alter(n, p, f);
  if (f->overtakes) n->statistics.overtook++;
  uint64_t due_ns = lane_due(n, p, f);
  int copies = lane_put(n, p, due_ns);
  if (copies == 1 && f->is_duplicated && lane_put(n, p, due_ns)) copies++;
  if (copies > 1) n->statistics.duplicated++;
  if (f->is_corrupted) n->statistics.corrupted += (uint64_t)copies;
}

/* No delay for frames that resolve an address: that happens on a short link, not along the path
 * that the delay stands for. With a delay the first round trip would take twice as long as the
 * second. */
static void lane_take_house(lane *n, struct packet *p, enum frame_kind kind) {
  struct fate f = {.delay_ns = n->options.chance.delay_ns};
  if (n->options.chance.everything) f = chance_draw(&n->house);
  if (kind != FRAME_RESOLVES_ADDRESS) {
    lane_follow_fate(n, p, &f);
  } else if (f.is_lost) {
    lane_lose(n, p, LOSS_CHANCE);
  } else {
    lane_alter(n, p, &f);
    if (f.is_corrupted) n->statistics.corrupted++;
    lane_send(n, p->arrived_ns, p->notes_and_frame, p->length);
  }
}

void lane_admit(lane *n, struct packet *p) {
  struct fate f = {.delay_ns = n->options.chance.delay_ns};
  if (!n->is_plain) f = chance_draw(&n->data);
  lane_follow_fate(n, p, &f);
}

/* Returns false if a hand has kept or lost the frame. */
static bool lane_pass_hands(lane *n, struct packet *p) {
  struct segment s = {.at_ns = 0};
  if (!frame_read_segment(lane_frame_of(p), p->length - PACKET_NOTES, &s)) return true;
  flows_follow(n->flows, &s);
  enum hand_act act = hands_offer(n->options.hands, n->options.number, p, &s);
  if (act == HAND_LOSE) lane_lose(n, p, LOSS_HAND);
  if (act == HAND_COPY) lane_admit(n, p);
  return act == HAND_PASS || act == HAND_COPY;
}

void lane_take(lane *n, struct packet *p) {
  enum frame_kind kind = frame_kind(lane_frame_of(p), p->length - PACKET_NOTES);
  if (n->swallows)
    lane_lose(n, p, LOSS_CUT);
  else if (kind != FRAME_DATA)
    lane_take_house(n, p, kind);
  else if (lane_pass_hands(n, p))
    lane_admit(n, p);
}

void lane_swallow(lane *n, bool on) { n->swallows = on; }

bool lane_next_sequence(const lane *n, const struct segment *s, uint32_t *next) {
  return flows_next(n->flows, s, next);
}

/* -- time ---------------------------------------------------------------------------------- */

static void lane_on_due(op *o);

void lane_settle(lane *n) {
  op *o = &n->op;
  if (list_empty(&n->frames)) return;
  uint64_t due_ns = lane_first(n)->due_ns, now_ns = clock_now_ns();
  if (o->state == OP_WAITING && due_ns - AWAKE_NS < o->deadline.at_ns) op_forget(o);
  if (o->state != OP_IDLE) return;
  op_start(o, loop_ops(n->lp), due_ns - AWAKE_NS);
  o->owner = n;
  o->done = lane_on_due;
  if (due_ns > now_ns + AWAKE_NS) op_wait(o, NULL);
  if (o->state == OP_WAITING) return;
  op_end(o, 0);
  op_postpone(o);
}

/* A frame may cause answers at once: the kernel delivers it, and lets the receiver answer, within
 * the call. Reading now and then keeps the sockets' buffers, which may be small, from overflowing.
 * Reading after every frame would hold up the receiver. */
static void lane_send_due(lane *n) {
  uint64_t now_ns = clock_now_ns();
  for (int sent = 1; !list_empty(&n->frames); sent++) {
    struct frame *f = lane_first(n);
    if (f->due_ns > now_ns) return;
    lane_send(n, f->due_ns, f->notes_and_frame, f->length);
    lane_drop_first(n);
    if (sent % SEND_MOST == 0) n->options.rest(n->options.owner);
  }
}

static void lane_on_due(op *o) {
  lane *n = o->owner;
  lane_send_due(n);
  op_idle(o);
  lane_settle(n);
}

/* -- opening and closing ------------------------------------------------------------------- */

int lane_open(loop *lp, const struct lane_options *o, lane **out) {
  lane *n = calloc(1, sizeof *n);
  if (n == NULL) return -ENOMEM;
  if (flows_open(&n->flows) < 0) {
    free(n);
    return -ENOMEM;
  }
  n->lp = lp;
  n->options = *o;
  n->about = (struct trace_socket){.host = host_number(o->from),
                                   .label = trace_label(loop_trace(lp), host_name(o->from))};
  n->is_plain = !chance_is_wanted(&o->chance);
  n->data = chance_begin(&n->options.chance, o->seed, o->number);
  n->house = chance_begin(&n->options.chance, o->seed, o->number + 2);
  list_init(&n->frames);
  list_init(&n->op.link);
  *out = n;
  return 0;
}

void lane_close(lane *n) {
  op_forget(&n->op);
  for (; !list_empty(&n->frames); n->statistics.dropped++) lane_drop_first(n);
}

void lane_free(lane *n) {
  if (n != NULL) flows_close(n->flows);
  free(n);
}

struct chance lane_begin_chance(const lane *n) {
  return chance_begin(&n->options.chance, n->options.seed, n->options.number);
}

const struct lane_statistics *lane_statistics(const lane *n) { return &n->statistics; }
