/* A lane is one direction of a wire. It decides the fate of each frame, keeps the frames that are
 * on their way, and sends each one on at its time. */
#ifndef LUNET_HANDLE_LANE_H
#define LUNET_HANDLE_LANE_H

#include "handle/chance.h"
#include "handle/hand.h"
#include "handle/host.h"
#include "handle/loop.h"
#include "platform/packet.h"

typedef struct lane lane;

struct lane_options {
  struct chance_settings chance;
  uint64_t seed;
  unsigned number; /* 0 or 1: frames with the same number meet another fate in the other lane */
  const host *from;
  int fd;                    /* the packet socket that sends */
  int out;                   /* the index of the interface to send by */
  hands *hands;              /* on single segments, shared by both lanes */
  void (*rest)(void *owner); /* called after some frames: read the answers to them */
  void *owner;
};

struct lane_statistics {
  uint64_t forwarded, dropped;  /* frames */
  uint64_t lost, over_capacity; /* dropped by chance, and beyond the capacity */
  uint64_t taken;               /* dropped by a hand, or by a cut */
  uint64_t duplicated, marked, overtook;
  uint64_t corrupted; /* sent on, each duplicate counted */
  uint64_t late;      /* forwarded more than LANE_LATE_NS after their time */
  uint64_t late_ns;   /* the sum over all forwarded frames */
  uint64_t late_most_ns;
};

enum { LANE_LATE_NS = 1000 * 1000 };

/* 0 or a negative errno. */
int lane_open(loop *lp, const struct lane_options *o, lane **out);
void lane_close(lane *n); /* loses the frames on their way; statistics stay */
void lane_free(lane *n);  /* NULL: nothing */

/* Takes a frame that has arrived, and may change it. */
void lane_take(lane *n, struct packet *p);

/* Takes a frame that no hand may touch any more. */
void lane_admit(lane *n, struct packet *p);

void lane_swallow(lane *n, bool on); /* lose every frame that enters, whatever it is */

/* The sequence number of the next byte that a flow would send this way: see flows_next. */
bool lane_next_sequence(const lane *n, const struct segment *s, uint32_t *next);

/* Call it after some frames: arms the timer for the first of them. */
void lane_settle(lane *n);

struct chance lane_begin_chance(const lane *n); /* that of the lane's first frame */
const struct lane_statistics *lane_statistics(const lane *n);

#endif
