/* The Lua type of a capture. */
#ifndef LUNET_BINDING_CAPTURE_H
#define LUNET_BINDING_CAPTURE_H

#include <lua.h>

void capture_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.capture(host, most, outlives) -> capture | nil, message, CODE. If `outlives` is true, the
 * capture ends only by its close, not with its host and scope, because closing it takes long. */
int capture_new(lua_State *L);

#endif
