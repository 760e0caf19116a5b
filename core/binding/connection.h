/* The Lua type of a connection. */
#ifndef LUNET_BINDING_CONNECTION_H
#define LUNET_BINDING_CONNECTION_H

#include <lua.h>

#include "handle/connection.h"
#include "handle/host.h"

struct tcp_info_memory;

extern const char CONNECTION_TYPE[];

void connection_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* lunet.connect(target, timeout), and the same from the host at index 3 */
int connection_to(lua_State *L);
int connection_to_from(lua_State *L);

/* Pushes a connection that is closed until one is put there. */
connection **connection_new(lua_State *L);

/* The argument of shutdown: "rd", "wr" or "rdwr" as SHUT_RD, SHUT_WR or SHUT_RDWR. Without one the
 * default is taken; -1: there is none. */
int connection_how(lua_State *L, int index, int default_how);

void connection_anchor(lua_State *L); /* the one on the top of the stack */

/* Pushes the address as text and its port (none for Unix). */
int connection_push_address(lua_State *L, const address *a);

/* Pushes a table of the TCP_INFO fields that the kernel filled in. */
int connection_push_info(lua_State *L, const struct tcp_info_memory *values);

#endif
