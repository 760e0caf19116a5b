/* Misuse: an error of the script's making. It names the script's line, and the function as the
 * script called it, also where lunet's own Lua code lies in between. */
#ifndef LUNET_BINDING_MISUSE_H
#define LUNET_BINDING_MISUSE_H

#include <lua.h>
#include <stdbool.h>

/* Like luaL_error and luaL_argerror, which name whoever called the running function. */
int misuse(lua_State *L, const char *format, ...);
int misuse_argument(lua_State *L, int argument, const char *what);

/* Like luaL_typeerror. */
int misuse_type(lua_State *L, int argument, const char *expected);

/* Whether a function is of lunet's Lua library, by its debug information ("S"). */
bool misuse_is_library(lua_State *L, const lua_Debug *about);

int misuse_raise(lua_State *L);       /* core.misuse(text) */
int misuse_set_library(lua_State *L); /* core.set_library(directory): where the library is */

#endif
