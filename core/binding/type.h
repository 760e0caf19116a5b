/* How a Lua type of lunet is made. */
#ifndef LUNET_BINDING_TYPE_H
#define LUNET_BINDING_TYPE_H

#include <lauxlib.h>

/* Makes the metatable `name`, with its methods in a table of their own behind __index. All get the
 * runtime, which lies on the top of the stack, as their upvalue. Harmless when the type is there
 * already. A name is known by its address. */
void type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* Makes the userdata on the top of the stack one of the type: luaL_setmetatable without a search
 * by name. */
void type_set(lua_State *L, const char *name);

/* A userdata with room for a pointer to a handle, and user values. It is born closed (NULL), so
 * that its finalizer is safe from here on. */
void **type_new_box(lua_State *L, const char *name, int values);

/* Where the pointer of such a userdata is; of anything else, test gives NULL and check raises. */
void **type_test(lua_State *L, int index, const char *name);
void **type_check(lua_State *L, int index, const char *name);

#endif
