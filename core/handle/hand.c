#include "handle/hand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle/list.h"
#include "platform/frame.h"

struct hand {
  list in_hands;
  enum hand_act act; /* HAND_PASS: watches for an op */
  struct segment_filter filter;
  op *waiting;
  char data[]; /* the filter's */
};

struct held {
  list in_hands;
  unsigned way;
  struct segment segment;
  struct packet packet;
  char notes_and_frame[];
};

struct hands {
  list all; /* newest first */
  list held;
  size_t held_count;
};

int hands_open(hands **out) {
  hands *h = calloc(1, sizeof *h);
  if (h == NULL) return -ENOMEM;
  list_init(&h->all);
  list_init(&h->held);
  *out = h;
  return 0;
}

static struct hand *hand_new(enum hand_act act, const struct segment_filter *f) {
  size_t length = f->data == NULL ? 0 : f->data_length;
  struct hand *n = malloc(sizeof *n + length);
  if (n == NULL) return NULL;
  n->act = act;
  n->filter = *f;
  n->waiting = NULL;
  list_init(&n->in_hands);
  if (length > 0) memcpy(n->data, f->data, length);
  if (f->data != NULL) n->filter.data = n->data;
  return n;
}

static void hand_end(struct hand *n) {
  list_remove(&n->in_hands);
  free(n);
}

int hands_add(hands *h, enum hand_act act, const struct segment_filter *f) {
  struct hand *n = hand_new(act, f);
  if (n == NULL) return -ENOMEM;
  list_append(h->all.next, &n->in_hands);
  return 0;
}

/* -- watching ------------------------------------------------------------------------------ */

static void hand_ended(op *o) { hand_end(o->owner); }

static const struct op_kind expect_kind = {.ended = hand_ended};

void hands_expect(hands *h, const struct segment_filter *f, op *o) {
  struct hand *n = hand_new(HAND_PASS, f);
  if (n == NULL) {
    op_end(o, -ENOMEM);
    return;
  }
  n->waiting = o;
  o->owner = n;
  o->kind = &expect_kind;
  list_append(h->all.next, &n->in_hands);
  op_wait(o, NULL);
}

/* Ends the wait, and so the hand. */
static void hand_show(struct hand *n, const struct segment *s) {
  op *o = n->waiting;
  struct segment *seen = malloc(sizeof *seen);
  if (seen != NULL) *seen = *s;
  o->owned = seen;
  op_end(o, seen == NULL ? -ENOMEM : 0);
}

/* -- holding ------------------------------------------------------------------------------- */

static bool hands_hold(hands *h, unsigned way, const struct segment *s, const struct packet *p) {
  struct held *k = malloc(sizeof *k + p->length);
  if (k == NULL) return false;
  k->way = way;
  k->segment = *s;
  k->packet = *p;
  k->packet.notes_and_frame = k->notes_and_frame;
  memcpy(k->notes_and_frame, p->notes_and_frame, p->length);
  list_append(&h->held, &k->in_hands);
  h->held_count++;
  return true;
}

static struct held *hands_find(const hands *h, size_t number) {
  list *l = h->held.next;
  for (; number > 0; number--) l = l->next;
  return LIST_ENTRY(l, struct held, in_hands);
}

size_t hands_held(const hands *h) { return h->held_count; }

const struct segment *hands_held_segment(const hands *h, size_t number) {
  return &hands_find(h, number)->segment;
}

struct packet hands_take(hands *h, size_t number, unsigned *way, void **memory) {
  struct held *k = hands_find(h, number);
  list_remove(&k->in_hands);
  h->held_count--;
  *way = k->way;
  *memory = k;
  return k->packet;
}

static void hands_end_all(hands *h, enum hand_act act) {
  for (list *l = h->all.next, *next; l != &h->all; l = next) {
    struct hand *n = LIST_ENTRY(l, struct hand, in_hands);
    next = l->next;
    if (n->act == act) hand_end(n);
  }
}

void hands_let_go(hands *h) { hands_end_all(h, HAND_HOLD); }

/* -- frames -------------------------------------------------------------------------------- */

static bool hand_takes(struct hand *n, unsigned way, const struct segment *s,
                       const uint8_t *payload) {
  return segment_filter_takes(&n->filter, way, s, payload);
}

/* An op's hand sees every segment; of the others the first that takes it decides. */
static enum hand_act hands_judge(hands *h, unsigned way, const struct segment *s,
                                 const uint8_t *payload) {
  enum hand_act act = HAND_PASS;
  for (list *l = h->all.next, *next; l != &h->all; l = next) {
    struct hand *n = LIST_ENTRY(l, struct hand, in_hands);
    next = l->next;
    if (n->waiting == NULL && act != HAND_PASS) continue;
    if (!hand_takes(n, way, s, payload)) continue;
    if (n->waiting != NULL) {
      hand_show(n, s);
      continue;
    }
    act = n->act;
    if (segment_filter_is_done(&n->filter)) hand_end(n);
  }
  return act;
}

enum hand_act hands_offer(hands *h, unsigned way, const struct packet *p, struct segment *s) {
  const uint8_t *frame = (const uint8_t *)p->notes_and_frame + PACKET_NOTES;
  size_t length = p->length - PACKET_NOTES;
  if (list_empty(&h->all) || s->bytes > length) return HAND_PASS;
  s->at_ns = p->arrived_ns;
  frame_keep(frame, length, s);
  enum hand_act act = hands_judge(h, way, s, frame + length - s->bytes);
  if (act == HAND_HOLD && !hands_hold(h, way, s, p)) return HAND_LOSE;
  return act;
}

/* -- closing ------------------------------------------------------------------------------- */

void hands_close(hands *h) {
  while (!list_empty(&h->all)) {
    struct hand *n = LIST_ENTRY(h->all.next, struct hand, in_hands);
    if (n->waiting != NULL)
      op_end(n->waiting, OP_CLOSED);
    else
      hand_end(n);
  }
  while (!list_empty(&h->held)) {
    struct held *k = LIST_ENTRY(h->held.next, struct held, in_hands);
    list_remove(&k->in_hands);
    free(k);
  }
  h->held_count = 0;
}

void hands_free(hands *h) { free(h); }
