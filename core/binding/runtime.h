/* One per Lua state, in its registry: the loop, and which task is running. Every function of lunet
 * has it as its first upvalue. */
#ifndef LUNET_BINDING_RUNTIME_H
#define LUNET_BINDING_RUNTIME_H

#include <lua.h>

#include "binding/coroutine.h"
#include "binding/task.h"
#include "handle/loop.h"

struct runtime {
  loop *lp;      /* NULL before it is opened and after the state began to close */
  task main;     /* the script itself; its coroutine is the main thread */
  task *current; /* whose Lua code runs now */
  struct coroutines coroutines;
  int anchors;     /* in the registry: by handle, the values of what is open; see anchor.h */
  bool is_driving; /* the main thread waits, and so the loop runs */
  bool is_stuck;   /* no task can go on, and the main thread is about to raise that */
};

/* Pushes the state's runtime, made at first use. */
runtime *runtime_push(lua_State *L);

/* The runtime behind a function of lunet; raises if the state is closing. */
runtime *runtime_of(lua_State *L);

/* For the program, when the script is over: lets the tasks that can run do so, cancels the others,
 * closes every handle, and raises the error of a task that nobody joined. Harmless without a
 * runtime, and twice. */
int runtime_finish(lua_State *L);

#endif
