/* The Lua type of a connection. */
#ifndef LUNET_BINDING_CONNECTION_H
#define LUNET_BINDING_CONNECTION_H

#include <lua.h>

#include "handle/connection.h"

extern const char CONNECTION_TYPE[];

void connection_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* Pushes a connection that is closed until one is put there. */
connection **connection_new(lua_State *L);

/* The argument of shutdown: "rd", "wr" or "rdwr" as SHUT_RD, SHUT_WR or SHUT_RDWR. Without one the
 * default is taken; -1: there is none. */
int connection_how(lua_State *L, int index, int default_how);

void connection_anchor(lua_State *L); /* the one on the top of the stack */

#endif
