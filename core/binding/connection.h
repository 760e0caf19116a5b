/* The Lua type of a connection. */
#ifndef LUNET_BINDING_CONNECTION_H
#define LUNET_BINDING_CONNECTION_H

#include <lua.h>

#include "handle/connection.h"

extern const char CONNECTION_TYPE[];

void connection_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* Pushes an empty box, and returns the place for its connection. */
connection **connection_new(lua_State *L);

/* "rd", "wr" and "rdwr", by SHUT_RD, SHUT_WR and SHUT_RDWR. */
extern const char *const connection_hows[];

/* Reads the argument of shutdown: SHUT_RD for "rd", SHUT_WR for "wr", SHUT_RDWR for "rdwr". An
 * absent argument gives the default, or raises if that is -1. */
int connection_how(lua_State *L, int index, int default_how);

void connection_anchor(lua_State *L); /* anchors the connection on top of the stack */

#endif
