/* Anchors keep the values of open handles from the collector, even if the script has dropped them.
 * Otherwise the collector would end a rule, a program or a connection at some arbitrary time, and
 * so change the measurement. */
#ifndef LUNET_BINDING_ANCHOR_H
#define LUNET_BINDING_ANCHOR_H

#include <lua.h>

#include "handle/loop.h"

void anchor_open(lua_State *L, loop *lp); /* once for each state */

/* Anchors the value at `index` until its handle is closed. `opened` is the handle in its box; a
 * closed handle is not anchored. */
void anchor_add(lua_State *L, int index, void *opened);

void anchor_push(lua_State *L, const void *opened); /* the value of an anchored handle */

#endif
