/* A box is a userdata that holds a pointer to a handle (handle/scope.h). Every closable type of
 * lunet is a box. A box is born closed, with a NULL pointer, so that its finalizer is always safe.
 * The finalizer closes and frees the handle. */
#ifndef LUNET_BINDING_BOX_H
#define LUNET_BINDING_BOX_H

#include <lauxlib.h>
#include <stdbool.h>

#include "handle/op.h"
#include "handle/scope.h"

/* Makes the type `name`, such as "lunet.listener", with `close`, __close, __gc and __tostring. The
 * given methods and metamethods add to these or replace them; `metamethods` may be NULL. Expects
 * the runtime on top of the stack. False: the type exists already. */
bool box_open_type(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods);

/* Returns the handle in the box at `index`, open or closed. NULL: the box is empty. Raises if the
 * value is not a box of this type. */
void *box_check(lua_State *L, int index, const char *name);

/* Returns the open handle of the first argument. NULL: it is closed, and the failure is pushed. */
void *box_check_open(lua_State *L, const char *name);

/* False: the box is empty, and the op has ended with OP_CLOSED. A closed handle does so itself. */
bool box_has(const void *h, op *o);

#endif
