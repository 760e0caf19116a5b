/* The life of a task: lunet spawns it, resumes it and keeps its outcome. */
#ifndef LUNET_BINDING_TASK_LIFE_H
#define LUNET_BINDING_TASK_LIFE_H

#include "binding/task/state.h"

void life_open_main(runtime *rt, lua_State *L); /* makes the main task on L, the main thread */

/* Pushes "file:line" of the Lua code that spawned the task. The task is on top of L. */
const char *life_push_spawned_at(lua_State *L, const task *t);

#endif
