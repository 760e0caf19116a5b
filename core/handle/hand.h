/* The hands on a wire: a script holds, loses, copies and watches single TCP segments, where they
 * enter the wire. */
#ifndef LUNET_HANDLE_HAND_H
#define LUNET_HANDLE_HAND_H

#include "handle/op.h"
#include "handle/segment_filter.h"
#include "platform/packet.h"

typedef struct hands hands;

enum hand_act {
  HAND_PASS, /* no hand is on this frame */
  HAND_LOSE,
  HAND_COPY, /* goes on twice */
  HAND_HOLD, /* stays until hands_take */
};

int hands_open(hands **out); /* 0 or -ENOMEM */
void hands_close(hands *h);  /* ends the waits with OP_CLOSED, and loses the held frames */
void hands_free(hands *h);   /* NULL: nothing */

/* Puts a hand on the segments that the filter takes. The newest hand judges first. 0 or -ENOMEM. */
int hands_add(hands *h, enum hand_act act, const struct segment_filter *f);

/* Waits for a segment that the filter takes. The op ends with 0, and owns the struct segment. */
void hands_expect(hands *h, const struct segment_filter *f, op *o);

/* Shows an arriving frame, a whole segment, to the hands. Does all that they are for, except to
 * lose or to copy it. */
enum hand_act hands_offer(hands *h, unsigned way, const struct packet *p, struct segment *s);

/* The held frames, from 0, in the order of their coming. */
size_t hands_held(const hands *h);
const struct segment *hands_held_segment(const hands *h, size_t number);

/* Takes one held frame out; the caller frees *memory after use. */
struct packet hands_take(hands *h, size_t number, unsigned *way, void **memory);
void hands_let_go(hands *h); /* ends all hands that hold; the held frames stay */

#endif
