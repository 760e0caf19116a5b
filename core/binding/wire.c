#include "binding/wire.h"

#include <lauxlib.h>
#include <math.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/wire.h"

static const char WIRE_TYPE[] = "lunet.wire";

/* Exact in a double; the sum of a delay and any time of the clock does not overflow. */
static const double LONGEST_S = 1e9, LARGEST = 0x1p53;

/* Reads an end without its host, which must be checked last: see host_check. */
static struct wire_end wire_end_argument(lua_State *L, int index) {
  lua_Number delay = luaL_checknumber(L, index + 2);
  luaL_argcheck(L, delay >= 0 && delay <= LONGEST_S, index + 2, "a delay is in seconds, 0 or more");
  return (struct wire_end){
    .interface = luaL_checkstring(L, index + 1),
    .delay_ns = (uint64_t)ceil(delay * 1e9), /* never early */
  };
}

int wire_new(lua_State *L) {
  struct wire_end ends[2] = {wire_end_argument(L, 1), wire_end_argument(L, 4)};
  lua_Number capacity = luaL_checknumber(L, 7);
  luaL_argcheck(L, capacity >= 0 && capacity <= LARGEST, 7, "a capacity is in bytes, 0 or more");
  wire **box = type_new_box(L, WIRE_TYPE, 0);
  ends[0].host = host_check(L, 1);
  ends[1].host = host_check(L, 4);
  int result = wire_open(task_loop(L), task_scope(L), ends, (size_t)capacity, box);
  if (result == 0) {
    anchor_add(L, -1, *box);
    return 1;
  }
  lua_pushfstring(L, "link of %s and %s", host_name(ends[0].host), host_name(ends[1].host));
  return host_push_refusal(L, result, lua_tostring(L, -1));
}

static int wire_push_is_up(lua_State *L) {
  wire *w = box_check(L, 1, WIRE_TYPE);
  int result = handle_is_open(w) ? wire_is_up(w) : OP_CLOSED;
  if (result < 0) return failure_push(L, result, "link");
  lua_pushboolean(L, result);
  return 1;
}

static int wire_statistics(lua_State *L) {
  struct wire_statistics s = {0, 0, 0, 0};
  wire *w = box_check(L, 1, WIRE_TYPE);
  if (w != NULL) wire_read_statistics(w, &s);
  lua_createtable(L, 0, 4);
  lua_Number mean_ns = s.forwarded == 0 ? 0 : (lua_Number)s.late_ns / (lua_Number)s.forwarded;
  field_set_integer(L, "forwarded", (lua_Integer)s.forwarded);
  field_set_integer(L, "dropped", (lua_Integer)s.dropped);
  field_set_number(L, "late_mean", mean_ns / 1e9);
  field_set_number(L, "late_max", (lua_Number)s.late_most_ns / 1e9);
  return 1;
}

static const luaL_Reg methods[] = {
  {"is_up", wire_push_is_up}, {"statistics", wire_statistics}, {NULL, NULL}};

void wire_open_type(lua_State *L) { box_open_type(L, WIRE_TYPE, methods, NULL); }
