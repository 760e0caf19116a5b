/* The coroutines of tasks. One whose task has ended serves another: a new one takes a thousand
 * bytes. */
#ifndef LUNET_BINDING_TASK_COROUTINE_H
#define LUNET_BINDING_TASK_COROUTINE_H

#include <lua.h>

/* Those that serve no task. */
struct coroutines {
  int list; /* its reference in the registry */
  int count;
};

void coroutine_open(lua_State *L, struct coroutines *idle); /* before the others */

lua_State *coroutine_push(lua_State *L, struct coroutines *idle); /* one with an empty stack */

/* Whose function has returned or raised: the next task finds it as if it were new. */
void coroutine_keep(lua_State *L, struct coroutines *idle, lua_State *co);

#endif
