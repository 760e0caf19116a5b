/* The module `lunet.core`: the functions that the Lua library is built on. */
#ifndef LUNET_BINDING_CORE_H
#define LUNET_BINDING_CORE_H

#include <lua.h>

int luaopen_lunet_core(lua_State *L);

#endif
