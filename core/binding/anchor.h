/* Anchors: the value of an open handle is not collected, whether or not the script holds it. Else
 * the collector would end a rule, a program or a connection at a time of its own choice, and change
 * what is measured. */
#ifndef LUNET_BINDING_ANCHOR_H
#define LUNET_BINDING_ANCHOR_H

#include <lua.h>

#include "handle/loop.h"

void anchor_open(lua_State *L, loop *lp); /* once, for the state */

/* Anchors the value at `index` until its handle is closed. `opened` is the pointer in its box; a
 * closed one is left alone. */
void anchor_add(lua_State *L, int index, void *opened);

#endif
