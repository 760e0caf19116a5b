/* The outcome of a task, as a Lua value: nil, a table of its results, or a table of its error and
 * the error's origin. */
#ifndef LUNET_BINDING_TASK_OUTCOME_H
#define LUNET_BINDING_TASK_OUTCOME_H

#include <lua.h>

/* Pops the results from the coroutine's stack, and pushes their outcome on L. */
void outcome_push(lua_State *L, lua_State *co, int results);

/* The same for the error on top of the coroutine's stack. */
void outcome_push_error(lua_State *L, lua_State *co, const char *spawned_at);

/* Pushes true and the results of the outcome on top. Returns the number of values. */
int outcome_results(lua_State *L);

/* Replaces the outcome on top by its error, and remembers the error's origin in this coroutine. */
void outcome_error(lua_State *L);

#endif
