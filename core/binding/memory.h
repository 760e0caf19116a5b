/* Memory from malloc that is freed even if Lua raises an error. */
#ifndef LUNET_BINDING_MEMORY_H
#define LUNET_BINDING_MEMORY_H

#include <lua.h>

void memory_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* Pushes a userdata, and returns the place for the pointer, NULL at first. The userdata's finalizer
 * frees the memory, unless memory_free has. */
void **memory_new(lua_State *L);
void memory_free(void **place);

#endif
