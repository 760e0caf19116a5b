#include "binding/type.h"

#include <stdbool.h>

void type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods) {
  if (luaL_newmetatable(L, name)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, metamethods, 2);
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    luaL_setfuncs(L, methods, 2);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable"); /* out of scripts' reach: getmetatable gives the name */
  }
  lua_pop(L, 1);
}

void *type_self(lua_State *L, const char *name) {
  void *self = lua_touserdata(L, 1);
  bool is_one = self != NULL && lua_getmetatable(L, 1);
  if (is_one) {
    is_one = lua_rawequal(L, -1, lua_upvalueindex(2));
    lua_pop(L, 1);
  }
  return is_one ? self : luaL_checkudata(L, 1, name); /* which says what it is instead */
}

void **type_new_box(lua_State *L, const char *name) {
  void **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, name);
  return box;
}
