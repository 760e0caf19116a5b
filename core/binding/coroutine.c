#include "binding/coroutine.h"

#include <lauxlib.h>

#include "binding/failure.h"

/* In the registry: a list of those that serve no task. */
static const char IDLE[] = "lunet.idle";
enum { IDLE_MOST = 256 };

void coroutine_open(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, IDLE);
  lua_pop(L, 1);
}

lua_State *coroutine_push(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, IDLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  lua_State *co = NULL;
  if (count > 0) {
    lua_rawgeti(L, -1, count);
    co = lua_tothread(L, -1);
    lua_pushnil(L);
    lua_rawseti(L, -3, count);
  } else {
    co = lua_newthread(L);
  }
  lua_remove(L, -2);
  return co;
}

void coroutine_keep(lua_State *L, lua_State *co) {
  lua_settop(co, 0);
  lua_sethook(co, NULL, 0, 0);
  failure_forget(co);
  lua_getfield(L, LUA_REGISTRYINDEX, IDLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  if (count < IDLE_MOST) {
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_rawseti(L, -2, count + 1);
  }
  lua_pop(L, 1);
}
