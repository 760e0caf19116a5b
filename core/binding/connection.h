/* The Lua type of a connection. */
#ifndef LUNET_BINDING_CONNECTION_H
#define LUNET_BINDING_CONNECTION_H

#include <lua.h>

#include "handle/connection.h"

extern const char CONNECTION_TYPE[];

void connection_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* lunet.connect(target, timeout) */
int connection_to(lua_State *L);

/* Pushes a connection that is closed until one is put there. */
connection **connection_new(lua_State *L);

/* Pushes the address as text and its port (none for Unix). */
int connection_push_address(lua_State *L, const address *a);

#endif
