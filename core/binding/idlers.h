/* Idlers for the Lua library: handle/idlers.h. */
#ifndef LUNET_BINDING_IDLERS_H
#define LUNET_BINDING_IDLERS_H

#include <lua.h>

int idlers_new(lua_State *L); /* idlers() */
void idlers_open_type(lua_State *L);

#endif
