/* The one shape of failure (nil, message, CODE), error values and their tracebacks. */
#ifndef LUNET_BINDING_FAILURE_H
#define LUNET_BINDING_FAILURE_H

#include <lua.h>
#include <sys/types.h>

/* "ECONNREFUSED", "TIMEOUT", ... for a negative errno or an OP_ result. */
const char *failure_name(ssize_t code);

/* Pushes nil, "what: message (CODE)" (what may be NULL), CODE; returns 3. */
int failure_push(lua_State *L, ssize_t code, const char *what);

/* The same for what the machine refuses for good: that is no want of resources, whatever CODE. */
int failure_push_refusal(lua_State *L, ssize_t code, const char *what);

/* Pushes true, or the failure. */
int failure_push_result(lua_State *L, ssize_t result, const char *what);

/* Pushes the error object that cancels a task; tostring gives its message, .code is "CANCELED". */
void failure_push_canceled(lua_State *L);

/* Remembers how the error at `index` came about (the text on the top of the stack, popped): the
 * last one of every coroutine is kept. */
void failure_remember(lua_State *L, int index);

/* Pushes what this coroutine remembers of the error at `index`, or "". */
void failure_push_origin(lua_State *L, int index);

/* Message handlers. The first keeps the error value as it is and remembers its traceback; the
 * second makes it a text, with the tracebacks of the tasks that it came through. */
int failure_note(lua_State *L);
int failure_traceback(lua_State *L);

/* core.expect_no_shortage(): from now on the first failure for want of resources is kept.
 * core.shortage(): its text, or nil; ends that. */
int failure_expect_none(lua_State *L);
int failure_shortage(lua_State *L);

#endif
