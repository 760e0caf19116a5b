/* Makes lunet's Lua types. Methods and metamethods may be NULL: none. */
#ifndef LUNET_BINDING_TYPE_H
#define LUNET_BINDING_TYPE_H

#include <lauxlib.h>
#include <stdbool.h>

/* Makes the metatable `name`, with the methods in a table of their own as __index. Expects the
 * runtime on top of the stack. Every function gets the runtime as its first upvalue, and the name's
 * address as its second. False: the type exists already, and does not change. */
bool type_open(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* Adds functions to a type, or replaces its own. */
void type_add(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Gives the userdata on top of the stack the type. Faster than luaL_setmetatable, which searches by
 * name. */
void type_set(lua_State *L, const char *name);

/* Pushes a userdata of the type with `values` user values. Returns the place for its pointer, NULL
 * at first. */
void *type_new_box(lua_State *L, const char *name, int values);

/* Return the place of such a userdata's pointer. For any other value type_test returns NULL, and
 * type_check raises. */
void *type_test(lua_State *L, int index, const char *name);
void *type_check(lua_State *L, int index, const char *name);

#endif
