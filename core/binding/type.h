/* How a Lua type of lunet is made. */
#ifndef LUNET_BINDING_TYPE_H
#define LUNET_BINDING_TYPE_H

#include <lauxlib.h>

/* Makes the metatable `name`, with its methods in a table of their own behind __index. All get the
 * runtime, which lies on the top of the stack, as their first upvalue, and the metatable as their
 * second. Harmless when the type is there already. */
void type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* The first argument of a method, which is of its type; raises if it is not. As luaL_checkudata,
 * without a search of the registry. */
void *type_self(lua_State *L, const char *name);

/* A userdata that holds a pointer to a handle. It is born closed (NULL), so that its finalizer is
 * safe from here on. */
void **type_new_box(lua_State *L, const char *name);

#endif
