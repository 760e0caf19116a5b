/* Tasks: which code may wait, and how it waits. The files of core/binding/task/ are behind this
 * header. Only they yield and resume coroutines.
 *
 * A waiting function of lunet begins with task_begin, gives the op to a handle, and ends with
 * `return task_wait(L, o, finish)`. If the op has ended already, finish pushes the results at once.
 * Otherwise a spawned task yields, and the main thread drives the loop. */
#ifndef LUNET_BINDING_TASK_H
#define LUNET_BINDING_TASK_H

#include <lua.h>
#include <stdint.h>

#include "handle/loop.h"

typedef struct runtime runtime;

/* -- the runtime, one for each Lua state --------------------------------------------------- */

/* Pushes the state's runtime, which the first call makes. Every function of lunet has it as its
 * first upvalue. */
runtime *runtime_push(lua_State *L);

/* The program calls this when the script has ended. It lets runnable tasks run, cancels the others,
 * closes every handle, and raises the error of a task that nobody joined. Does nothing without a
 * runtime; a second call is harmless. */
int runtime_finish(lua_State *L);

/* Both raise if the state is closing. */
loop *task_loop(lua_State *L);
scope *task_scope(lua_State *L); /* the running task opens its handles in this scope */

/* For signal handlers: the coroutine that runs Lua code. NULL: the main thread waits, and the loop
 * is polling. */
lua_State *runtime_running(const runtime *rt);
loop *runtime_loop(runtime *rt);

/* Pushes "\nwaiting:\n  accept on listener 127.0.0.1:80, at server.lua:8, for 3.2 s, 5 tasks\n...".
 * The text has at most 20 lines, one for each waiting call of the script. It is "" if no task
 * waits. */
void waits_push(lua_State *L, runtime *rt);

/* -- waiting ------------------------------------------------------------------------------- */

/* Converts the timeout at `index` to an absolute deadline: nil waits without limit, 0 polls. Raises
 * unless it is a number of seconds, 0 or more. */
uint64_t timeout_argument(lua_State *L, int index);

/* Raises where code cannot wait, such as in a plain coroutine or a sort callback. Also raises the
 * running task's pending error: its cancellation, a child's error or an interrupt. */
void task_check(lua_State *L);

/* Returns the running task's op, ready to wait until `deadline_ns`. Call task_check first. */
op *task_start(lua_State *L, uint64_t deadline_ns);

/* task_check, then task_start. If it raises, no wait has started. */
op *task_begin(lua_State *L, uint64_t deadline_ns);

/* Pushes the results of an ended op, and returns their number. */
typedef int (*task_finish)(lua_State *L, op *o);

int task_wait(lua_State *L, op *o, task_finish finish);

/* The same for an op that uses the memory of the value at `index`: the task holds the value while
 * it waits. Its coroutine's stack does not hold it safely, since the script may call
 * coroutine.close.
 */
int task_wait_holding(lua_State *L, op *o, int index, task_finish finish);

/* -- what scripts call --------------------------------------------------------------------- */

extern const char TASK_TYPE[];

void task_open_type(lua_State *L); /* expects the runtime on the stack's top */

int task_spawn(lua_State *L);       /* lunet.spawn(fn, ...) */
int nursery_scope(lua_State *L);    /* lunet.scope(fn, ...) */
int timeout_now(lua_State *L);      /* lunet.now() */
int timeout_wall_now(lua_State *L); /* core.wall_now(): seconds since 1970 */
int timeout_sleep(lua_State *L);    /* lunet.sleep(seconds) */

/* core.rest(seconds): a sleep in the background, for which nobody waits. When all other tasks wait
 * for each other's end, that is a deadlock. */
int timeout_rest(lua_State *L);

/* core.let_sleep(): see deadlines_let_sleep. Call it before the first host is made. */
int timeout_let_sleep(lua_State *L);

#endif
