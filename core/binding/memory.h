/* malloc'ed memory that a call of the core needs while Lua may raise: an error frees it, too. */
#ifndef LUNET_BINDING_MEMORY_H
#define LUNET_BINDING_MEMORY_H

#include <lua.h>

void memory_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* Pushes a userdata and returns the place for the pointer, which is NULL until the caller sets it.
 * The memory is freed when the userdata is collected, or by memory_free. */
void **memory_new(lua_State *L);
void memory_free(void **place);

#endif
