/* Tasks: who may wait, and how. The files of core/binding/task/ are behind this header, and only
 * they yield and resume.
 *
 * A waiting function of lunet begins with task_begin, gives the op to some handle, and ends with
 * `return task_wait(L, o, finish)`. If the op has ended at once, finish pushes the results right
 * away. Otherwise a spawned task yields, and the main thread drives the loop. */
#ifndef LUNET_BINDING_TASK_H
#define LUNET_BINDING_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "handle/loop.h"

typedef struct runtime runtime;

/* -- the runtime, one for each Lua state --------------------------------------------------- */

/* Pushes the state's runtime, made at first use. Every function of lunet has it as its first
 * upvalue. */
runtime *runtime_push(lua_State *L);

/* For the program, when the script is over: lets the tasks that can run do so, cancels the others,
 * closes every handle, and raises the error of a task that nobody joined. Harmless without a
 * runtime, and twice. */
int runtime_finish(lua_State *L);

/* The loop behind a function of lunet, and the scope of what the running task opens. Both raise if
 * the state is closing. */
loop *task_loop(lua_State *L);
scope *task_scope(lua_State *L);

/* For signal handlers: the coroutine whose code runs. NULL: the main thread waits and the loop is
 * polling. */
lua_State *runtime_running(const runtime *rt);
loop *runtime_loop(runtime *rt);

/* Pushes "\nwaiting:\n  accept on listener 127.0.0.1:80, at server.lua:8, for 3.2 s, 5 tasks\n..."
 * with at most 20 lines, one for each call of the script. Pushes "" if no task waits. */
void waits_push(lua_State *L, runtime *rt);

/* -- waiting ------------------------------------------------------------------------------- */

/* The timeout at `index` as an absolute deadline: nil waits without limit, 0 polls. Raises unless
 * it is a number of seconds, 0 or more. */
uint64_t timeout_argument(lua_State *L, int index);

/* Raises where nothing can wait (inside a plain coroutine, a sort callback, ...), and what the
 * running task has to raise: its cancellation, the error of a child, an interrupt. */
void task_check(lua_State *L);

/* The op of the running task, ready to wait until `deadline_ns`. After task_check. */
op *task_start(lua_State *L, uint64_t deadline_ns);

op *task_begin(lua_State *L, uint64_t deadline_ns); /* both: nothing has started if it raises */

/* Pushes the results of an ended op; returns how many. */
typedef int (*task_finish)(lua_State *L, op *o);

int task_wait(lua_State *L, op *o, task_finish finish);

/* The same for an op that uses the memory of the value at `index`. The task holds it while it
 * waits: the stack of its coroutine is not enough, since a script may close that (coroutine.close).
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

#endif
