/* Misuse: an error of the script's making. It names the script's line, and the function as the
 * script called it, also where lunet's own Lua code lies in between. */
#ifndef LUNET_BINDING_MISUSE_H
#define LUNET_BINDING_MISUSE_H

#include <lua.h>

/* "server.lua:8: listen: no port is free". For luaL_error, which names whoever called the running
 * function. */
int misuse(lua_State *L, const char *format, ...);

/* Like luaL_argerror. */
int misuse_argument(lua_State *L, int argument, const char *what);

/* "connect: a timeout is a number of seconds, 0 or more; not -1" */
int misuse_value(lua_State *L, int index, const char *rule);

/* Like luaL_typeerror. */
int misuse_type(lua_State *L, int argument, const char *expected);

/* Finds, on the stack of `of`, the function that the script called: the outermost one of lunet's
 * own. Returns the level of its caller; fills in the names of `called` ("n"). L has the room to
 * look. */
int misuse_find_called(lua_State *L, lua_State *of, lua_Debug *called);

int misuse_raise(lua_State *L);       /* core.misuse(text) */
int misuse_check_self(lua_State *L);  /* core.check_self(value, "lunet.listener") */
int misuse_set_library(lua_State *L); /* core.set_library(directory): where the library is */

#endif
