/* Tasks: who may wait, and how. This is the only place that yields or resumes.
 *
 * A waiting function of lunet begins with task_begin, starts the op of the task on some handle, and
 * ends with `return task_wait(L, t, finish)`. If the op has ended at once, finish pushes the
 * results right away. Otherwise a spawned task yields, and the main thread drives the loop. */
#ifndef LUNET_BINDING_TASK_H
#define LUNET_BINDING_TASK_H

#include <lua.h>
#include <stdbool.h>

#include "binding/nursery.h"
#include "handle/op.h"

typedef struct runtime runtime;

/* Pushes the results of an ended op; returns how many. */
typedef int (*task_finish)(lua_State *L, op *o);

enum task_state { TASK_NEW, TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELED };

struct task {
  op op; /* its present wait; first, so that an op's task is found */
  runtime *rt;
  lua_State *L; /* its coroutine */
  task_finish finish;
  nursery born;     /* the nursery of its body */
  nursery *nursery; /* where it spawns at present */
  nursery *parent;  /* where it was spawned; NULL for the main task */
  list in_parent; /* among the parent's children, while it lives; then, if it has failed, among the
                     failures that the parent's task has yet to raise */
  list joiners;   /* join ops that wait for its end */
  list failures;  /* failed tasks whose error it has yet to raise */
  int self;       /* its reference in the registry, while it lives or its error waits */
  int spawned_line; /* where lunet.spawn was called; not positive: not by Lua code */
  uint8_t state;    /* enum task_state */
  bool is_canceled; /* every wait raises from now on */
  bool is_holding;  /* see task_wait_holding */
  bool has_yielded; /* by a bare coroutine.yield, which counts as a wait */
};

extern const char TASK_TYPE[];

void task_open_type(lua_State *L); /* expects the runtime on the stack's top */
void task_open_main(runtime *rt, lua_State *L);

/* The task whose code calls, ready to wait until `deadline_ns`. Raises, before anything starts,
 * where nothing can wait (inside a plain coroutine, a sort callback, ...), and what the task has to
 * raise: its cancellation, the error of a child, an interrupt. */
task *task_begin(lua_State *L, uint64_t deadline_ns);
task *task_waiting(lua_State *L); /* the same, without an op */

/* Whether its code runs now. If not, a coroutine.resume in the script has woken its coroutine. */
bool task_is_current(const task *t);

int task_wait(lua_State *L, task *t, task_finish finish);

/* The same for an op that uses the memory of the value at `index`. The task holds it while it
 * waits: the stack of its coroutine is not enough, since a script may close that (coroutine.close).
 */
int task_wait_holding(lua_State *L, task *t, int index, task_finish finish);

/* Likewise the task keeps the scopes that it is in: a userdata with one user value for each. */
void task_enter_scope(lua_State *L, task *t, int index);
void task_leave_scope(lua_State *L, task *t);

/* Waits for the task's op, which has not ended, and goes on with `then`: what task_wait is made of.
 */
int task_park(lua_State *L, task *t, lua_KFunction then, void *context);

int task_spawn(lua_State *L); /* lunet.spawn(fn, ...) */

/* Whether the task has something to raise at its waits; pushes it. */
bool task_take_error(lua_State *L, task *t);

/* Its present wait and every later one raise. */
void task_cancel(task *t);

/* Its parent will not raise its error any more, and only the script keeps it alive. */
void task_forget_failure(lua_State *L, task *failed);
#endif
