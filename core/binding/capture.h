/* The Lua type of a capture. */
#ifndef LUNET_BINDING_CAPTURE_H
#define LUNET_BINDING_CAPTURE_H

#include <lua.h>

extern const char CAPTURE_TYPE[];

void capture_open_type(lua_State *L); /* expects the runtime on the stack's top */
int capture_new(lua_State *L);        /* core.capture(host, most) */

#endif
