#include "binding/anchor.h"

#include <lauxlib.h>

/* The registry has the anchors under this address: a table of the values, by the handles' numbers
 * (luaL_ref). */
static const char ANCHORS;

/* Called whenever a handle is closed, even from a finalizer, so it must not allocate or raise. The
 * context is the main thread. */
static void anchor_forget(void *context, unsigned anchor) {
  lua_State *L = context;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  luaL_unref(L, -1, (int)anchor);
  lua_pop(L, 1);
}

void anchor_open(lua_State *L, loop *lp) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  loop_scopes(lp)->on_closed = anchor_forget;
  loop_scopes(lp)->context = lua_tothread(L, -1);
  lua_pop(L, 1);
}

void anchor_push(lua_State *L, const void *opened) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_rawgeti(L, -1, ((const handle *)opened)->anchor);
  lua_remove(L, -2);
}

void anchor_add(lua_State *L, int index, void *opened) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ANCHORS);
  lua_pushvalue(L, index);
  unsigned anchor = (unsigned)luaL_ref(L, -2);
  lua_pop(L, 1);
  /* A finalizer may have closed the handle meanwhile. */
  if (!handle_anchor(opened, anchor)) anchor_forget(L, anchor);
}
