/* Lists the TCP sockets and Unix listeners of a host, as plain tables. */
#ifndef LUNET_BINDING_SOCKETS_H
#define LUNET_BINDING_SOCKETS_H

#include <lua.h>

int sockets_list(lua_State *L);    /* core.sockets(host or nil, filter) */
int sockets_destroy(lua_State *L); /* core.destroy(host, filter) */

#endif
