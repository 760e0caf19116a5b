/* The Lua type of a wire: lunet forwards a link's frames itself, late, or by chance not at all. */
#ifndef LUNET_BINDING_WIRE_H
#define LUNET_BINDING_WIRE_H

#include <lua.h>

void wire_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.wire(host, interface, chance, far_host, far_interface, far_chance, seed) -> wire | nil,
 * message, CODE. Each table of chance is about the frames that its host sends (chance.h); shares
 * are from 0 to 1, times are in seconds. */
int wire_new(lua_State *L);

int wire_new_seed(lua_State *L); /* core.new_seed() -> a seed that the kernel draws */

#endif
