/* Every TCP socket of a host, as a list of plain tables. */
#ifndef LUNET_BINDING_SOCKETS_H
#define LUNET_BINDING_SOCKETS_H

#include <lua.h>

#include "handle/host.h"

void sockets_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* lunet.sockets(filter), and the same of a host (NULL: home) */
int sockets_list(lua_State *L);
int sockets_list_of(lua_State *L, const host *h);

#endif
