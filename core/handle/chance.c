#include "handle/chance.h"

#include <errno.h>
#include <sys/random.h>

/* The purposes of a frame's draws. Each has a place of its own, so that one more never changes the
 * others. */
enum purpose { LOSS, STATE, DUPLICATE, CORRUPT, WHERE, MARK, OVERTAKE, JITTER, PURPOSES };

/* SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
 * Its n-th number comes from n alone, so no frame's draw depends on another's. */
static const uint64_t GAMMA = 0x9e3779b97f4a7c15;

static uint64_t chance_mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static uint64_t chance_number(const struct chance *c, enum purpose p) {
  return chance_mix(c->seed + (c->next * PURPOSES + p + 1) * GAMMA);
}

/* At least 0 and less than 1: the upper 53 bits fill a double. */
static double chance_unit(const struct chance *c, enum purpose p) {
  return (double)(chance_number(c, p) >> 11) * 0x1p-53;
}

static bool chance_strikes(const struct chance *c, enum purpose p, double share) {
  return share > 0 && chance_unit(c, p) < share;
}

bool chance_is_wanted(const struct chance_settings *s) {
  return s->jitter_ns > 0 || s->loss > 0 || s->to_bad > 0 || s->duplicate > 0 || s->corrupt > 0 ||
         s->mark > 0 || s->overtake > 0 || s->rate > 0;
}

struct chance chance_begin(const struct chance_settings *s, uint64_t seed, unsigned stream) {
  return (struct chance){.settings = s, .seed = chance_mix(chance_mix(seed + GAMMA) + stream)};
}

static bool chance_draw_loss(struct chance *c) {
  const struct chance_settings *s = c->settings;
  bool is_lost = chance_strikes(c, LOSS, c->is_bad ? s->loss_bad : s->loss);
  if (chance_strikes(c, STATE, c->is_bad ? s->to_good : s->to_bad)) c->is_bad = !c->is_bad;
  return is_lost;
}

static uint64_t chance_draw_delay(const struct chance *c) {
  const struct chance_settings *s = c->settings;
  if (s->jitter_ns == 0) return s->delay_ns;
  double span_ns = 2 * (double)s->jitter_ns;
  return s->delay_ns - s->jitter_ns + (uint64_t)(span_ns * chance_unit(c, JITTER));
}

struct fate chance_draw(struct chance *c) {
  const struct chance_settings *s = c->settings;
  struct fate f = {
    .is_lost = chance_draw_loss(c),
    .is_duplicated = chance_strikes(c, DUPLICATE, s->duplicate),
    .is_corrupted = chance_strikes(c, CORRUPT, s->corrupt),
    .is_marked = chance_strikes(c, MARK, s->mark),
    .overtakes = chance_strikes(c, OVERTAKE, s->overtake),
    .delay_ns = chance_draw_delay(c),
  };
  if (f.is_corrupted) f.corrupt_where = chance_number(c, WHERE);
  if (f.overtakes) f.delay_ns = 0;
  c->next++;
  return f;
}

int chance_new_seed(uint64_t *out) {
  uint32_t seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) return -errno;
  *out = seed;
  return 0;
}
