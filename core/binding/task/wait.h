/* How a task waits, and which errors its waits raise. The main thread drives the loop from here;
 * the other tasks yield. */
#ifndef LUNET_BINDING_TASK_WAIT_H
#define LUNET_BINDING_TASK_WAIT_H

#include "binding/task/state.h"

task *wait_check(lua_State *L); /* like task_check, and returns the running task */

/* Waits until the task's op ends, and continues with `then`. The op must not have ended. */
int wait_park(lua_State *L, task *t, lua_KFunction then, void *context);

/* Pushes the error that the task's wait must raise. False: there is none. */
bool wait_take_error(lua_State *L, task *t);

#endif
