/* The life of a task: how it is spawned, run and resumed, and what it leaves. */
#ifndef LUNET_BINDING_TASK_LIFE_H
#define LUNET_BINDING_TASK_LIFE_H

#include "binding/task/state.h"

void life_open_main(runtime *rt, lua_State *L); /* the main task, on its thread */

/* Pushes "file:line" of the Lua code that spawned the task, which is on top of L. */
const char *life_push_spawned_at(lua_State *L, const task *t);

#endif
