/* The TCP connections that a host tracks, as plain tables. */
#ifndef LUNET_BINDING_TRACKED_H
#define LUNET_BINDING_TRACKED_H

#include <lua.h>

int tracked_push(lua_State *L); /* core.tracked(host) */

#endif
