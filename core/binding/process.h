/* The Lua type of a program that runs on a host. */
#ifndef LUNET_BINDING_PROCESS_H
#define LUNET_BINDING_PROCESS_H

#include <lua.h>

void process_open_type(lua_State *L); /* expects the runtime on the stack's top */

int process_exec(lua_State *L); /* core.exec(host or nil, {...}) */

#endif
