#include "binding/type.h"

#include <stdbool.h>

#include "binding/misuse.h"

struct box {
  const char *type; /* the address of its name */
  void *value;
};

void type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods) {
  if (luaL_newmetatable(L, name)) {
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, metamethods, 1);
    lua_newtable(L);
    lua_pushvalue(L, -3);
    luaL_setfuncs(L, methods, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable"); /* out of scripts' reach: getmetatable gives the name */
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
  }
  lua_pop(L, 1);
}

void type_set(lua_State *L, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
}

void **type_new_box(lua_State *L, const char *name, int values) {
  struct box *b = lua_newuserdatauv(L, sizeof *b, values);
  *b = (struct box){.type = name};
  type_set(L, name);
  return &b->value;
}

void **type_test(lua_State *L, int index, const char *name) {
  struct box *b = lua_touserdata(L, index);
  bool is_box = b != NULL && lua_rawlen(L, index) >= sizeof *b; /* a light userdata has no length */
  return is_box && b->type == name ? &b->value : NULL;
}

void **type_check(lua_State *L, int index, const char *name) {
  void **value = type_test(L, index, name);
  if (value == NULL) misuse_type(L, index, name);
  return value;
}
