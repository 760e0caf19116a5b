/* The Lua type of a watched queue. */
#ifndef LUNET_BINDING_QUEUE_WATCH_H
#define LUNET_BINDING_QUEUE_WATCH_H

#include <lua.h>

void queue_watch_open_type(lua_State *L); /* expects the runtime on the stack's top */

int queue_watch_begin(lua_State *L); /* core.watch(host or nil, listener, port or path, every) */

#endif
