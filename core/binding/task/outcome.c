#include "binding/task/outcome.h"

#include <lauxlib.h>

#include "binding/failure.h"

enum { ERROR = 1, ORIGIN = 2 }; /* indices in a table */

void outcome_push(lua_State *L, lua_State *co, int results) {
  if (results == 0) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, results, 0);
  lua_xmove(co, L, results);
  for (int i = results; i >= 1; i--) lua_rawseti(L, -1 - i, i);
  lua_pushinteger(L, results);
  lua_setfield(L, -2, "n");
}

void outcome_push_error(lua_State *L, lua_State *co, const char *spawned_at) {
  lua_createtable(L, 2, 0);
  failure_push_origin(co, -1);
  lua_xmove(co, L, 2);
  lua_pushfstring(L, "%s\ntask spawned at %s", lua_tostring(L, -1), spawned_at);
  lua_rawseti(L, -4, ORIGIN);
  lua_pop(L, 1);
  lua_rawseti(L, -2, ERROR);
}

int outcome_results(lua_State *L) {
  lua_Integer count = 0;
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "n");
    count = lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  luaL_checkstack(L, (int)count + 1, "too many results");
  lua_pushboolean(L, 1);
  for (lua_Integer i = 1; i <= count; i++) lua_rawgeti(L, -1 - (int)i, i);
  return (int)count + 1;
}

void outcome_error(lua_State *L) {
  lua_rawgeti(L, -1, ERROR);
  lua_rawgeti(L, -2, ORIGIN);
  failure_remember(L, -2);
  lua_replace(L, -2);
}
