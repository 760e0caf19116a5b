/* Tasks: who may wait, and how. This is the only place that yields or resumes.
 *
 * A waiting function of lunet begins with task_begin, starts the op of the task on some handle, and
 * ends with `return task_wait(L, t, finish)`. If the op has ended at once, finish pushes the
 * results right away. Otherwise a spawned task yields, and the main thread drives the loop. */
#ifndef LUNET_BINDING_TASK_H
#define LUNET_BINDING_TASK_H

#include <lua.h>
#include <stdbool.h>

#include "handle/op.h"
#include "handle/scope.h"

typedef struct runtime runtime;
typedef struct task task;
typedef struct nursery nursery;

/* Pushes the results of an ended op; returns how many. */
typedef int (*task_finish)(lua_State *L, op *o);

/* Where tasks are spawned: the children that its end waits for, and the scope that the handles
 * opened here belong to. Every task is born with one; lunet.scope opens another. */
struct nursery {
  task *owner;
  nursery *outer; /* of the same task; NULL for the one it was born with */
  list children;  /* living tasks */
  scope *handles; /* its own, or that of the nursery around it */
  scope own;      /* the handles of a lunet.scope */
  int base;       /* the owner's stack: results begin above this index */
  bool has_failed;
  bool is_settling; /* the owner waits here for the last child */
  int (*settled)(lua_State *L, nursery *n);
};

enum task_state { TASK_NEW, TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELED };

struct task {
  op op; /* its present wait; first, so that an op's task is found */
  runtime *rt;
  lua_State *L; /* its coroutine */
  task_finish finish;
  nursery born;     /* the nursery of its body */
  nursery *nursery; /* where it spawns at present */
  nursery *parent;  /* where it was spawned; NULL for the main task */
  list in_parent;   /* among the parent's children, while it lives */
  list joiners;     /* join ops that wait for its end */
  list failures;    /* failed tasks whose error it has yet to raise */
  list in_failures; /* its place there */
  uint8_t state;    /* enum task_state */
  bool is_canceled; /* every wait raises from now on */
};

extern const char TASK_TYPE[];

void task_open_type(lua_State *L); /* expects the runtime on the stack's top */
void task_open_main(runtime *rt, lua_State *L);

/* The task whose code calls, ready to wait until `deadline_ns`. Raises, before anything starts,
 * where nothing can wait (inside a plain coroutine, a sort callback, ...), and what the task has to
 * raise: its cancellation, the error of a child, an interrupt. */
task *task_begin(lua_State *L, uint64_t deadline_ns);

int task_wait(lua_State *L, task *t, task_finish finish);

/* lunet.spawn(fn, ...) and lunet.scope(fn, ...) */
int task_spawn(lua_State *L);
int task_scope(lua_State *L);

/* Cancels the children of a nursery, in order. */
void nursery_cancel(nursery *n);

/* Whether the task has something to raise at its waits; pushes it. */
bool task_take_error(lua_State *L, task *t);
#endif
