/* What a task leaves behind, as a value: nil, or a table of its results, or one of its error and
 * how that came about. */
#ifndef LUNET_BINDING_TASK_OUTCOME_H
#define LUNET_BINDING_TASK_OUTCOME_H

#include <lua.h>

/* Takes the results from the coroutine's stack; pushes the outcome. */
void outcome_push(lua_State *L, lua_State *co, int results);

/* The same of the error on top of the coroutine's stack. */
void outcome_push_error(lua_State *L, lua_State *co, const char *spawned_at);

/* Of the outcome on top of the stack: pushes true and the results, and says how many values. */
int outcome_results(lua_State *L);

/* Puts the error in the place of the outcome on top, as if it came about in this coroutine. */
void outcome_error(lua_State *L);

#endif
