/* core.connect(host or nil, target, timeout) -> connection | nil, message, CODE */
#ifndef LUNET_BINDING_CONNECT_H
#define LUNET_BINDING_CONNECT_H

#include <lua.h>

int connect_to(lua_State *L);

#endif
