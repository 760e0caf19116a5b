/* The Lua type of a capture. */
#ifndef LUNET_BINDING_CAPTURE_H
#define LUNET_BINDING_CAPTURE_H

#include <lua.h>

void capture_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.capture(host, most, outlives): `outlives` is whether it goes on when its host and the scope
 * end, until it is closed: that takes its time. */
int capture_new(lua_State *L);

#endif
