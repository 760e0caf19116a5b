/* Every TCP socket of a host, as a list of plain tables. */
#ifndef LUNET_BINDING_SOCKETS_H
#define LUNET_BINDING_SOCKETS_H

#include <lua.h>

/* lunet.sockets(filter), and the same of the host at index 2 */
int sockets_list(lua_State *L);
int sockets_list_of(lua_State *L);

#endif
