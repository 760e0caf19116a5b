#include "binding/field.h"

#include <lauxlib.h>

/* The collector runs in lua_createtable, and not in lua_next and lua_rawset (lapi.c, luaC_checkGC):
 * no finalizer changes the table between two steps. */
void field_copy_table(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_createtable(L, 0, 8);
  for (lua_pushnil(L); lua_next(L, index);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, index);
}

void field_set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

void field_set_number(lua_State *L, const char *name, lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

void field_set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

void field_set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value); /* of NULL, nil */
  lua_setfield(L, -2, name);
}
