
#include "binding/misuse.h"
#include "binding/task.h"
#include "platform/clock.h"

/* Later than any time of the clock, and still exact in a double. */
static const double FOREVER_S = 9e9;

uint64_t timeout_argument(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return DEADLINE_NEVER;
  lua_Number seconds = lua_tonumber(L, index);
  /* Refuse strings: "1" is probably a mistake. */
  if (lua_type(L, index) != LUA_TNUMBER || !(seconds >= 0))
    misuse_value(L, index, "a timeout is a number of seconds, 0 or more");
  if (seconds == 0) return DEADLINE_POLL;
  if (seconds > FOREVER_S) return DEADLINE_NEVER;
  /* Round up: a deadline never fires early. */
  return clock_now_ns() + (uint64_t)(seconds * 1e9) + 1;
}

int timeout_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_now_ns() / 1e9);
  return 1;
}

int timeout_wall_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock_wall_now_ns() / 1e9);
  return 1;
}

int timeout_let_sleep(lua_State *L) {
  deadlines_let_sleep(ops_deadlines(loop_ops(task_loop(L))));
  lua_pushboolean(L, 1);
  return 1;
}

static int timeout_push_slept(lua_State *L, op *o) {
  (void)o;
  lua_pushboolean(L, 1);
  return 1;
}

int timeout_rest(lua_State *L) {
  op *o = task_begin(L, timeout_argument(L, 1));
  o->is_background = true;
  op_wait(o, NULL);
  return task_wait(L, o, timeout_push_slept);
}

int timeout_sleep(lua_State *L) {
  if (lua_isnoneornil(L, 1)) misuse_value(L, 1, "a number of seconds, 0 or more, is expected");
  uint64_t deadline_ns = timeout_argument(L, 1);
  op *o = task_begin(L, deadline_ns == DEADLINE_POLL ? DEADLINE_NEVER : deadline_ns);
  op_wait(o, NULL);
  if (deadline_ns == DEADLINE_POLL) op_end(o, 0); /* sleep(0) lets other tasks run */
  return task_wait(L, o, timeout_push_slept);
}
