#include "binding/anchor.h"

#include <lauxlib.h>

/* Its address is where the registry has them: by handle, the values of what is open. */
static const char ANCHORS;

/* Called wherever a handle is closed, also in a finalizer: needs no memory and raises nothing. The
 * context is the main thread. */
static void anchor_forget(void *context, const handle *h) {
  lua_State *L = context;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_pushnil(L);
  lua_rawsetp(L, -2, h);
  lua_pop(L, 1);
}

void anchor_open(lua_State *L, loop *lp) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  loop_scopes(lp)->told = anchor_forget;
  loop_scopes(lp)->context = lua_tothread(L, -1);
  lua_pop(L, 1);
}

void anchor_add(lua_State *L, int index, void *opened) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, opened);
  lua_pop(L, 1);
  /* A finalizer may have closed it meanwhile. */
  if (!handle_anchor(opened)) anchor_forget(L, opened);
}
