#include <errno.h>
#include <lauxlib.h>
#include <uv.h>

#include "binding/anchor.h"
#include "binding/failure.h"
#include "binding/interrupt.h"
#include "binding/task/life.h"
#include "binding/task/nursery.h"
#include "binding/task/wait.h"

static const char RUNTIME[] = "lunet.runtime";

/* How often runtime_finish lets the ready tasks run before it cancels them. The number is bounded,
 * since a task that keeps sleeping for 0 seconds is always ready. */
enum { LAST_TURNS = 16 };

static int runtime_gc(lua_State *L) {
  runtime *rt = lua_touserdata(L, 1);
  if (rt->lp == NULL) return 0;
  loop *lp = rt->lp;
  interrupt_set_runtime(NULL);
  rt->lp = NULL; /* finalizers that run later must not use the runtime */
  loop_close(lp);
  return 0;
}

/* Says which limit to raise. */
static const char *runtime_advice(int result) {
  switch (result) {
  case -EMFILE: return ": more open files are needed (ulimit -n)";
  case -ENFILE: return ": the machine has too many open files (sysctl fs.file-max)";
  case -ENOSPC: return ": more watches are needed (sysctl fs.epoll.max_user_watches)";
  default: return "";
  }
}

static void runtime_open(lua_State *L, runtime *rt) {
  int result = loop_open(&rt->lp);
  if (result < 0)
    luaL_error(L, "lunet cannot start: %s (%s)%s", uv_strerror(result), failure_name(result),
               runtime_advice(result));
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  life_open_main(rt, lua_tothread(L, -1));
  lua_pop(L, 1);
  anchor_open(L, rt->lp);
  interrupt_set_runtime(rt);
}

runtime *runtime_push(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, RUNTIME) == LUA_TUSERDATA) return lua_touserdata(L, -1);
  lua_pop(L, 1);
  runtime *rt = lua_newuserdatauv(L, sizeof *rt, 0);
  rt->lp = NULL;
  rt->is_driving = rt->is_stuck = false;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, runtime_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  runtime_open(L, rt);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, RUNTIME);
  return rt;
}

static void runtime_let_run(runtime *rt) {
  for (int turn = 0; turn < LAST_TURNS; turn++) {
    loop_step(rt->lp, false);
    if (!ops_has_ready(loop_ops(rt->lp))) return;
  }
}

/* Canceled tasks never wait again, so each turn ends some of them. */
static void runtime_cancel_all(runtime *rt) {
  nursery_cancel(&rt->main.body);
  while (!list_empty(&rt->main.body.children)) {
    loop_step(rt->lp, false);
    nursery_cancel(&rt->main.body); /* also the tasks spawned meanwhile */
  }
}

int runtime_finish(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, RUNTIME) != LUA_TUSERDATA) return 0;
  runtime *rt = lua_touserdata(L, -1);
  if (rt->lp == NULL || rt->is_driving) return 0;
  rt->is_driving = true; /* from here on, no code may wait in the main thread */
  runtime_let_run(rt);
  bool has_failed = wait_take_error(L, &rt->main);
  runtime_cancel_all(rt);
  has_failed = has_failed || wait_take_error(L, &rt->main);
  scopes_close_handles(loop_scopes(rt->lp));
  rt->is_driving = false;
  return has_failed ? lua_error(L) : 0;
}
