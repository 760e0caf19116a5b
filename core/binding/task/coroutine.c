#include "binding/task/coroutine.h"

#include <lauxlib.h>

#include "binding/failure.h"

enum { IDLE_MOST = 256 };

void coroutine_open(lua_State *L, struct coroutines *idle) {
  idle->count = 0;
  lua_newtable(L);
  idle->list = luaL_ref(L, LUA_REGISTRYINDEX);
}

lua_State *coroutine_push(lua_State *L, struct coroutines *idle) {
  if (idle->count == 0) return lua_newthread(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, idle->list);
  lua_rawgeti(L, -1, idle->count);
  lua_pushnil(L);
  lua_rawseti(L, -3, idle->count--);
  lua_remove(L, -2);
  return lua_tothread(L, -1);
}

void coroutine_keep(lua_State *L, struct coroutines *idle, lua_State *co) {
  lua_settop(co, 0);
  lua_sethook(co, NULL, 0, 0);
  failure_forget(co);
  if (idle->count == IDLE_MOST) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, idle->list);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  lua_rawseti(L, -2, ++idle->count);
  lua_pop(L, 1);
}
