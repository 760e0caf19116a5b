/* The kernel's TCP_INFO as a table for scripts. */
#ifndef LUNET_BINDING_TCP_INFO_H
#define LUNET_BINDING_TCP_INFO_H

#include <lua.h>

#include "platform/tcp_info.h"

/* Pushes a table of the fields that the kernel filled in. */
int tcp_info_push(lua_State *L, const struct tcp_info_memory *values);

#endif
