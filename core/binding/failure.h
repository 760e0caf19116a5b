/* The one shape of failure (nil, message, CODE), error values and their tracebacks. */
#ifndef LUNET_BINDING_FAILURE_H
#define LUNET_BINDING_FAILURE_H

#include <lua.h>
#include <sys/types.h>

/* "ECONNREFUSED", "TIMEOUT", ... for a negative errno or an OP_ result. */
const char *failure_name(ssize_t code);

/* Pushes nil, "what: message (CODE)" (what may be NULL), CODE; returns 3. */
int failure_push(lua_State *L, ssize_t code, const char *what);

/* The same, but never counts as a shortage (below): the machine refuses this permanently. */
int failure_push_refusal(lua_State *L, ssize_t code, const char *what);

/* Pushes true, or the failure. */
int failure_push_result(lua_State *L, ssize_t result, const char *what);

/* Pushes the error object that cancels a task; tostring gives its message, .code is "CANCELED". */
void failure_push_canceled(lua_State *L);

/* Pops a text, and remembers it as the origin of the error at `index`. Each coroutine keeps only
 * its last origin. */
void failure_remember(lua_State *L, int index);

/* Pushes the origin that this coroutine remembers for the error at `index`, or "". */
void failure_push_origin(lua_State *L, int index);

/* Message handlers. failure_note keeps the error value and remembers its traceback.
 * failure_traceback turns the error into a text, with the tracebacks of the tasks that it passed.
 */
int failure_note(lua_State *L);
int failure_traceback(lua_State *L);

/* core.expect_no_shortage() starts to look for shortages, that is failures for lack of resources.
 * core.shortage() stops, and returns the text of the first one, or nil. */
int failure_expect_none(lua_State *L);
int failure_shortage(lua_State *L);

#endif
