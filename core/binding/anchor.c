#include "binding/anchor.h"

#include <lauxlib.h>

/* Called wherever a handle is closed, also in a finalizer: needs no memory and raises nothing. */
static void forget(void *context, const handle *h) {
  const runtime *rt = context;
  lua_State *L = rt->main.L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->anchors);
  lua_pushnil(L);
  lua_rawsetp(L, -2, h);
  lua_pop(L, 1);
}

void anchor_open(lua_State *L, runtime *rt) {
  lua_newtable(L);
  rt->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
  loop_on_closed(rt->lp, forget, rt);
}

void anchor_add(lua_State *L, int index, runtime *rt, void *opened) {
  index = lua_absindex(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rt->anchors);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, opened);
  lua_pop(L, 1);
  /* A finalizer may have closed it meanwhile. */
  if (!handle_anchor(opened)) forget(rt, opened);
}
