/* The Lua type of a listener. */
#ifndef LUNET_BINDING_LISTENER_H
#define LUNET_BINDING_LISTENER_H

#include <lua.h>

#include "handle/listener.h"

extern const char LISTENER_TYPE[];

int listener_is_listener(lua_State *L); /* core.is_listener(value) */

void listener_open_type(lua_State *L); /* expects the runtime on the stack's top */

int listener_listen(lua_State *L); /* core.listen(host or nil, {...}) */

/* The listener at `index`, open or closed. NULL: the value is not a listener. */
listener *listener_test(lua_State *L, int index);

#endif
