/* Chance decides the fate of each frame in one direction of a wire. A fate depends only on the
 * seed, the direction and the frame's number there: the same traffic meets the same fate. */
#ifndef LUNET_HANDLE_CHANCE_H
#define LUNET_HANDLE_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shares are from 0 to 1. The model of Gilbert and Elliott has a good state and a bad one, each
 * with a loss of its own. It begins in the good one, and may go over after each frame. Plain loss
 * is the good state's alone. */
struct chance_settings {
  uint64_t delay_ns, jitter_ns; /* a frame's delay is within jitter_ns of delay_ns */
  double loss, loss_bad, to_bad, to_good;
  double duplicate, corrupt, mark;
  double overtake;   /* goes at once, ahead of all that wait for their time */
  uint64_t rate;     /* bytes a second; 0: no limit */
  uint64_t capacity; /* bytes that may be on the way */
  bool jitter_reorders;
  bool everything; /* also decides about frames that keep house or resolve an address */
};

/* Whether anything but the delay is left to chance or to a rate. */
bool chance_is_wanted(const struct chance_settings *s);

struct fate {
  bool is_lost, is_duplicated, is_corrupted, is_marked, overtakes;
  uint64_t corrupt_where;
  uint64_t delay_ns;
};

struct chance {
  const struct chance_settings *settings; /* the owner keeps them */
  uint64_t seed;                          /* of this direction */
  uint64_t next;                          /* the number of the next frame, from 0 */
  bool is_bad;                            /* the state of the channel */
};

/* Each stream of a seed has other fates. */
struct chance chance_begin(const struct chance_settings *s, uint64_t seed, unsigned stream);

struct fate chance_draw(struct chance *c); /* of the next frame */

/* A seed that the kernel draws; short enough to type. 0 or a negative errno. */
int chance_new_seed(uint64_t *out);

#endif
