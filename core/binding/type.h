/* How a Lua type of lunet is made. */
#ifndef LUNET_BINDING_TYPE_H
#define LUNET_BINDING_TYPE_H

#include <lauxlib.h>
#include <stdbool.h>

/* Makes the metatable `name`, with its methods in a table of their own behind __index. All get the
 * runtime, which lies on the top of the stack, as their first upvalue, and the name's address as
 * their second. False: the type is there already, and stays as it is. */
bool type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* Adds more to a type, or replaces what it has. */
void type_add(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Makes the userdata on the top of the stack one of the type: luaL_setmetatable without a search
 * by name. */
void type_set(lua_State *L, const char *name);

/* Pushes a userdata of the type with room for a pointer and for so many user values. Returns where
 * the pointer goes; it is NULL till then. */
void *type_new_box(lua_State *L, const char *name, int values);

/* Where the pointer of such a userdata is. For anything else test gives NULL, and check raises. */
void *type_test(lua_State *L, int index, const char *name);
void *type_check(lua_State *L, int index, const char *name);

#endif
