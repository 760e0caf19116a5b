/* The kernel's tables of neighbours: platform/neighbours.h. */
#ifndef LUNET_BINDING_NEIGHBOURS_H
#define LUNET_BINDING_NEIGHBOURS_H

#include <lua.h>

int neighbours_push_refused(lua_State *L); /* neighbours_refused() */

#endif
