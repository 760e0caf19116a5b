/* How a task waits, and what it raises then. The main thread drives the loop from here; the other
 * tasks yield. */
#ifndef LUNET_BINDING_TASK_WAIT_H
#define LUNET_BINDING_TASK_WAIT_H

#include "binding/task/state.h"

task *wait_check(lua_State *L); /* task_check; returns the running task */

/* Waits for the task's op, which has not ended, and goes on with `then`: what task_wait is made of.
 */
int wait_park(lua_State *L, task *t, lua_KFunction then, void *context);

/* Whether the task has something to raise at its waits; pushes it. */
bool wait_take_error(lua_State *L, task *t);

#endif
