/* The Lua type of a capture. */
#ifndef LUNET_BINDING_CAPTURE_H
#define LUNET_BINDING_CAPTURE_H

#include <lua.h>
#include <stdint.h>

#include "handle/journal.h"
#include "platform/segment.h"

extern const char CAPTURE_TYPE[];

void capture_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.capture(host, most) -> capture | nil, message, CODE. A closed capture keeps its segments. */
int capture_new(lua_State *L);

void capture_push_segment(lua_State *L, const struct segment *s);

/* Sets the fields of a segment, all but its time and its packet. */
void capture_describe(const struct segment *s, struct event_fields *to);

#endif
