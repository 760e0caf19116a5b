#include "binding/wire.h"

#include <lauxlib.h>
#include <math.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/hand.h"
#include "binding/host.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/wire.h"

/* Exact in a double; the sum of a delay and any time of the clock does not overflow. */
static const double LONGEST_S = 1e9, LARGEST = 0x1p53;

static uint64_t wire_time_field(lua_State *L, int index, const char *field) {
  return (uint64_t)ceil(field_get_number(L, index, field, 0, LONGEST_S) * 1e9); /* never early */
}

static double wire_share_field(lua_State *L, int index, const char *field) {
  return field_get_number(L, index, field, 0, 1);
}

static struct chance_settings wire_chance_argument(lua_State *L, int index) {
  static const char *const known[] = {"capacity", "corrupt", "delay",    "duplicate", "everything",
                                      "jitter",   "loss",    "loss_bad", "mark",      "overtake",
                                      "rate",     "reorder", "to_bad",   "to_good",   NULL};
  luaL_checktype(L, index, LUA_TTABLE);
  field_copy_table(L, index);
  field_check_names(L, index, "option", known, 0);
  struct chance_settings s = {
    .delay_ns = wire_time_field(L, index, "delay"),
    .jitter_ns = wire_time_field(L, index, "jitter"),
    .loss = wire_share_field(L, index, "loss"),
    .loss_bad = wire_share_field(L, index, "loss_bad"),
    .to_bad = wire_share_field(L, index, "to_bad"),
    .to_good = wire_share_field(L, index, "to_good"),
    .duplicate = wire_share_field(L, index, "duplicate"),
    .corrupt = wire_share_field(L, index, "corrupt"),
    .mark = wire_share_field(L, index, "mark"),
    .overtake = wire_share_field(L, index, "overtake"),
    .rate = (uint64_t)field_get_number(L, index, "rate", 0, LARGEST),
    .capacity = (uint64_t)field_get_number(L, index, "capacity", 0, LARGEST),
    .jitter_reorders = field_get_boolean(L, index, "reorder"),
    .everything = field_get_boolean(L, index, "everything"),
  };
  luaL_argcheck(L, s.jitter_ns <= s.delay_ns, index, "jitter is longer than the delay");
  return s;
}

/* Reads an end without its host, which must be checked last: see host_check. */
static struct wire_end wire_end_argument(lua_State *L, int index) {
  return (struct wire_end){
    .interface = luaL_checkstring(L, index + 1),
    .chance = wire_chance_argument(L, index + 2),
  };
}

int wire_new(lua_State *L) {
  struct wire_end ends[2] = {wire_end_argument(L, 1), wire_end_argument(L, 4)};
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 7);
  wire **box = type_new_box(L, WIRE_TYPE, 0);
  ends[0].host = host_check(L, 1);
  ends[1].host = host_check(L, 4);
  int result = wire_open(task_loop(L), task_scope(L), ends, seed, box);
  if (result == 0) {
    anchor_add(L, -1, *box);
    return 1;
  }
  lua_pushfstring(L, "link of %s and %s", host_name(ends[0].host), host_name(ends[1].host));
  return host_push_refusal(L, result, lua_tostring(L, -1));
}

int wire_new_seed(lua_State *L) {
  uint64_t seed;
  int result = chance_new_seed(&seed);
  if (result < 0) return failure_push(L, result, "seed");
  lua_pushinteger(L, (lua_Integer)seed);
  return 1;
}

static int wire_push_is_open(lua_State *L) {
  lua_pushboolean(L, handle_is_open(box_check(L, 1, WIRE_TYPE)));
  return 1;
}

static int wire_push_is_up(lua_State *L) {
  wire *w = box_check(L, 1, WIRE_TYPE);
  int result = handle_is_open(w) ? wire_is_up(w) : OP_CLOSED;
  if (result < 0) return failure_push(L, result, "link");
  lua_pushboolean(L, result);
  return 1;
}

static void wire_push_lane_statistics(lua_State *L, const struct lane_statistics *s) {
  const struct {
    const char *name;
    uint64_t count;
  } counts[] = {{"taken", s->taken},
                {"forwarded", s->forwarded},
                {"dropped", s->dropped},
                {"lost", s->lost},
                {"over_capacity", s->over_capacity},
                {"duplicated", s->duplicated},
                {"corrupted", s->corrupted},
                {"marked", s->marked},
                {"overtook", s->overtook},
                {"late", s->late}};
  lua_createtable(L, 0, 11);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    field_set_integer(L, counts[i].name, (lua_Integer)counts[i].count);
  field_set_number(L, "late_sum", (lua_Number)s->late_ns / 1e9);
  field_set_number(L, "late_max", (lua_Number)s->late_most_ns / 1e9);
}

/* wire:statistics() -> table of the first host's frames, of the second's, unread frames */
static int wire_push_statistics(lua_State *L) {
  static const struct lane_statistics none;
  wire *w = box_check(L, 1, WIRE_TYPE);
  for (int i = 0; i < 2; i++)
    wire_push_lane_statistics(L, w == NULL ? &none : lane_statistics(wire_lane(w, i)));
  lua_pushinteger(L, w == NULL ? 0 : (lua_Integer)wire_unread(w));
  return 3;
}

static void wire_push_fate(lua_State *L, const struct fate *f) {
  lua_createtable(L, 0, 6);
  field_set_number(L, "delay", (lua_Number)f->delay_ns / 1e9);
  field_set_boolean(L, "lost", f->is_lost);
  field_set_boolean(L, "duplicated", f->is_duplicated);
  field_set_boolean(L, "corrupted", f->is_corrupted);
  field_set_boolean(L, "marked", f->is_marked);
  field_set_boolean(L, "overtakes", f->overtakes);
}

/* wire:fates(from, count) -> list of the fates of the first frames that host 1 or 2 sends */
static int wire_push_fates(lua_State *L) {
  enum { MOST = 1000 * 1000 };
  wire *w = box_check(L, 1, WIRE_TYPE);
  lua_Integer from = luaL_checkinteger(L, 2), count = luaL_checkinteger(L, 3);
  luaL_argcheck(L, from == 1 || from == 2, 2, "host 1 or 2 sends");
  luaL_argcheck(L, count >= 0 && count <= MOST, 3, "a count from 0 to 1000000");
  luaL_argcheck(L, w != NULL, 1, "an open wire expected");
  struct chance c = lane_begin_chance(wire_lane(w, (int)from - 1));
  lua_newtable(L);
  for (lua_Integer i = 1; i <= count; i++) {
    struct fate f = chance_draw(&c);
    wire_push_fate(L, &f);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

static const luaL_Reg methods[] = {{"is_open", wire_push_is_open},
                                   {"is_up", wire_push_is_up},
                                   {"statistics", wire_push_statistics},
                                   {"fates", wire_push_fates},
                                   {NULL, NULL}};

void wire_open_type(lua_State *L) {
  if (box_open_type(L, WIRE_TYPE, methods, NULL)) type_add(L, WIRE_TYPE, hand_methods, NULL);
}
