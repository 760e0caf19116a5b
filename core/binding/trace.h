/* The trace for scripts: notes, and the events that the Lua library turns into a timeline. */
#ifndef LUNET_BINDING_TRACE_H
#define LUNET_BINDING_TRACE_H

#include <lua.h>

#include "handle/trace.h"

int trace_note_text(lua_State *L); /* lunet.note(text): records the script's own words */

/* core.record(on) -> the number of the next event, the former setting. If `on`, the trace looks at
 * a queue whenever an event may have changed it. */
int trace_start(lua_State *L);

/* core.events(first) -> a list of the recorded events from number `first` on, and how many of these
 * the ring has lost. */
int trace_events(lua_State *L);

void trace_push_event(lua_State *L, const trace *t, const struct event *e); /* as a table */

#endif
