/* What the tasks wait for, told to whoever interrupts them, and when nothing can come any more. */
#ifndef LUNET_BINDING_WAITS_H
#define LUNET_BINDING_WAITS_H

#include <lua.h>

#include "binding/runtime.h"

/* Pushes "\nwaiting:\n  accept on listener 127.0.0.1:80, at server.lua:8, for 3.2 s, 5 tasks\n..."
 * with at most 20 lines, one for each call of the script. Pushes "" if no task waits. */
void waits_push(lua_State *L, runtime *rt);

#endif
