/* The trace as scripts see it: notes, and the events that lunet.timeline is made of. */
#ifndef LUNET_BINDING_TRACE_H
#define LUNET_BINDING_TRACE_H

#include <lua.h>

int trace_note_text(lua_State *L); /* lunet.note(text) */
int trace_start(lua_State *L);     /* core.record(on) */
int trace_events(lua_State *L);    /* core.events(first) */

#endif
