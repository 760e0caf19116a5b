#include <lauxlib.h>

#include "binding/failure.h"
#include "binding/misuse.h"
#include "binding/task/life.h"
#include "binding/task/outcome.h"
#include "binding/type.h"

const char TASK_TYPE[] = "lunet.task";

static int task_push_outcome(lua_State *L, task *t) {
  if (t->state == TASK_CANCELED) return failure_push(L, OP_CANCELED, NULL);
  lua_getiuservalue(L, 1, VALUE_OUTCOME);
  if (t->state == TASK_DONE) return outcome_results(L);
  outcome_error(L);
  return lua_error(L);
}

static int task_push_joined(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "join");
  return task_push_outcome(L, luaL_checkudata(L, 1, TASK_TYPE));
}

static int task_join(lua_State *L) {
  task *joined = luaL_checkudata(L, 1, TASK_TYPE);
  uint64_t deadline_ns = timeout_argument(L, 2);
  lua_settop(L, 1);
  if (runtime_of(L)->current == joined) return misuse(L, "a task cannot join itself");
  op *o = task_begin(L, deadline_ns);
  if (joined->state < TASK_DONE) {
    o->awaits_tasks = deadline_ns == DEADLINE_NEVER;
    op_wait(o, &joined->joiners);
  } else {
    if (!list_empty(&joined->in_parent)) task_forget_failure(L, joined); /* this join raises it */
    op_end(o, 0);
  }
  return task_wait(L, o, task_push_joined);
}

static int task_cancel_one(lua_State *L) {
  task *t = luaL_checkudata(L, 1, TASK_TYPE);
  if (t->state < TASK_DONE) task_cancel(t);
  lua_pushboolean(L, 1);
  return 1;
}

static int task_to_string(lua_State *L) {
  const task *t = luaL_checkudata(L, 1, TASK_TYPE);
  lua_settop(L, 1);
  lua_pushfstring(L, "task spawned at %s", life_push_spawned_at(L, t));
  return 1;
}

static const luaL_Reg methods[] = {{"join", task_join}, {"cancel", task_cancel_one}, {NULL, NULL}};
static const luaL_Reg metamethods[] = {
  {"__tostring", task_to_string}, {"__close", task_cancel_one}, {NULL, NULL}};

void task_open_type(lua_State *L) { type_open(L, TASK_TYPE, methods, metamethods); }
