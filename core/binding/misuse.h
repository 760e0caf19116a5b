/* Misuse: the script's mistake, raised as an error. The message names the script's line and the
 * function that the script called, even if lunet's own Lua code called the core. */
#ifndef LUNET_BINDING_MISUSE_H
#define LUNET_BINDING_MISUSE_H

#include <lua.h>

/* Raises "server.lua:8: listen: no port is free". Use this instead of luaL_error, which names the
 * caller of the running function, perhaps in lunet's own code. */
int misuse(lua_State *L, const char *format, ...);

/* Raises "connect: a timeout is a number of seconds, 0 or more; not -1". */
int misuse_value(lua_State *L, int index, const char *rule);

/* Like luaL_typeerror. */
int misuse_type(lua_State *L, int argument, const char *expected);

/* Finds the function that the script called: the outermost function of lunet on the stack of `of`.
 * Returns the level of its caller, and fills in the names of `called` ("n"). Works on the stack of
 * L. */
int misuse_find_called(lua_State *L, lua_State *of, lua_Debug *called);

int misuse_raise(lua_State *L);       /* core.misuse(text) */
int misuse_check_self(lua_State *L);  /* core.check_self(value, "lunet.listener") */
int misuse_set_library(lua_State *L); /* core.set_library(directory): lunet's own Lua library */

#endif
