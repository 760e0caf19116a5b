/* The file that keeps the events of a run while it goes on, for the Lua library. */
#ifndef LUNET_BINDING_JOURNAL_H
#define LUNET_BINDING_JOURNAL_H

#include <lua.h>

void journal_open_type(lua_State *L); /* expects the runtime on the stack's top */

/* core.journal(path, first, began) -> journal | nil, message, CODE. Keeps the events from number
 * `first` on, at the end of a file that is there; their times are told since `began`, in seconds. A
 * loop has one journal at a time.
 *
 * journal:write() -> looks | nil, message, CODE. Writes the new events, and gives the looks at
 * counters and sockets among them, as core.events does. Without it the events are written when the
 * ring is about to lose them. After a failure nothing more is written.
 *
 * journal:write_text(text) -> true | nil, message, CODE: whole lines
 *
 * journal:write_segments(capture, first) -> next, gap | nil, message, CODE. Makes lines of a
 * capture's segments from number `first` on, which the next write writes. `next` is the number of
 * the next segment; `gap` is true if the capture has forgotten some.
 *
 * journal:lost() -> how many events were not written
 *
 * journal:check(path) -> true | nil, message, CODE. Whether the path still names the file.
 *
 * journal:empty() -> true | nil, message, CODE. Makes the file empty.
 *
 * journal:close(): harmless twice. */
int journal_new(lua_State *L);

#endif
