/* The Lua type of a wire, the delay of a link. */
#ifndef LUNET_BINDING_WIRE_H
#define LUNET_BINDING_WIRE_H

#include <lua.h>

void wire_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.wire(host, interface, delay, far_host, far_interface, far_delay, capacity): each delay is
 * that of what its host sends. Methods: is_up, statistics, close. */
int wire_new(lua_State *L);

#endif
