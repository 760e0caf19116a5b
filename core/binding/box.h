/* The Lua type of a handle (handle/scope.h): a userdata that holds a pointer to one. Everything of
 * lunet that can be closed is made of it. A box is born closed, with NULL for its pointer, so that
 * its finalizer is safe from the start; the finalizer closes it for good. */
#ifndef LUNET_BINDING_BOX_H
#define LUNET_BINDING_BOX_H

#include <lauxlib.h>
#include <stdbool.h>

#include "handle/op.h"
#include "handle/scope.h"

/* Makes the type `name`, "lunet.listener", from `close`, __close, __gc, __tostring and what is
 * given, which may replace these; NULL: no metamethods. The runtime is on the top of the stack. */
bool box_open_type(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods);

/* The handle in the box at `index`, open or closed. NULL: the box holds none. Raises if there is no
 * such box. */
void *box_check(lua_State *L, int index, const char *name);

/* The open handle of the first argument. NULL: it is closed, and the failure is pushed. */
void *box_check_open(lua_State *L, const char *name);

/* True if a box holds a handle, which will say by itself whether it is open. Else ends the op as a
 * closed handle does. */
bool box_has(const void *h, op *o);

#endif
