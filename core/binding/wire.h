/* The Lua type of a wire: lunet forwards a link's packets itself, and so delays them. */
#ifndef LUNET_BINDING_WIRE_H
#define LUNET_BINDING_WIRE_H

#include <lua.h>

void wire_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.wire(host, interface, delay, far_host, far_interface, far_delay, capacity) -> wire | nil,
 * message, CODE. Each delay, in seconds, applies to the packets that its host sends. */
int wire_new(lua_State *L);

#endif
