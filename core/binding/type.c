#include "binding/type.h"

#include "binding/misuse.h"

struct box {
  const char *type; /* the address of its name */
  void *value;
};

/* Sets functions in the table on top of the stack. The runtime is at index `runtime`. */
static void type_set_functions(lua_State *L, int runtime, const char *name,
                               const luaL_Reg *functions) {
  if (functions == NULL) return;
  lua_pushvalue(L, runtime);
  lua_pushlightuserdata(L, (void *)name);
  luaL_setfuncs(L, functions, 2);
}

void type_add(lua_State *L, const char *name, const luaL_Reg *methods,
              const luaL_Reg *metamethods) {
  int runtime = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  type_set_functions(L, runtime, name, metamethods);
  lua_getfield(L, -1, "__index");
  type_set_functions(L, runtime, name, methods);
  lua_pop(L, 2);
}

bool type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods) {
  bool is_new = luaL_newmetatable(L, name);
  if (is_new) {
    lua_newtable(L);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable"); /* getmetatable gives scripts the name instead */
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
  }
  lua_pop(L, 1);
  if (is_new) type_add(L, name, methods, metamethods);
  return is_new;
}

void type_set(lua_State *L, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
}

void *type_new_box(lua_State *L, const char *name, int values) {
  struct box *b = lua_newuserdatauv(L, sizeof *b, values);
  *b = (struct box){.type = name};
  type_set(L, name);
  return &b->value;
}

void *type_test(lua_State *L, int index, const char *name) {
  struct box *b = lua_touserdata(L, index);
  bool is_box = b != NULL && lua_rawlen(L, index) >= sizeof *b; /* a light userdata has no length */
  return is_box && b->type == name ? &b->value : NULL;
}

void *type_check(lua_State *L, int index, const char *name) {
  void *value = type_test(L, index, name);
  if (value == NULL) misuse_type(L, index, name);
  return value;
}
