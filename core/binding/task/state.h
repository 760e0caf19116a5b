/* What tasks, their nurseries and the runtime are, for the files beside this one. */
#ifndef LUNET_BINDING_TASK_STATE_H
#define LUNET_BINDING_TASK_STATE_H

#include "binding/task.h"
#include "handle/loop.h"
#include "handle/scope.h"

typedef struct task task;
typedef struct nursery nursery;

/* Where tasks are spawned: see nursery.h. */
struct nursery {
  task *owner;
  nursery *outer; /* of the same task; NULL: it is the one of its body */
  list children;  /* living tasks */
  scope *handles; /* a lunet.scope's own, or that of the nursery around it */
  int base;       /* the owner's stack: results begin above this index */
  bool has_failed;
  bool is_canceled; /* it has failed with nothing but its owner's cancellation */
  bool is_settling; /* the owner waits here for the last child */
  int (*settled)(lua_State *L, nursery *n);
};

enum task_state { TASK_NEW, TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELED };

struct task {
  op op; /* its present wait; first, so that an op's task is found */
  runtime *rt;
  lua_State *L; /* its coroutine */
  task_finish finish;
  nursery body;     /* the nursery of its body */
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

/* The user values of a task. While it lives, its coroutine has the place of its outcome. */
enum {
  VALUE_THREAD = 1,
  VALUE_OUTCOME = VALUE_THREAD,
  VALUE_SPAWNER, /* the function that called lunet.spawn */
  VALUE_SCOPE,   /* the innermost lunet.scope, whose own user value is the next one outwards */
  VALUE_HELD,    /* see task_wait_holding */
  VALUES = VALUE_HELD
};

/* One for each Lua state, in its registry. */
struct runtime {
  loop *lp;        /* NULL before it is opened and after the state began to close */
  task main;       /* the script itself; its coroutine is the main thread */
  task *current;   /* whose Lua code runs now */
  bool is_driving; /* the main thread waits, and so the loop runs */
  bool is_stuck;   /* no task can go on, and the main thread is about to raise that */
};

/* The runtime behind a function of lunet; raises if the state is closing. */
runtime *runtime_of(lua_State *L);

void task_init(task *t, runtime *rt, lua_State *L);

/* Whether its code runs now. If not, a coroutine.resume in the script has woken its coroutine. */
bool task_is_current(const task *t);

/* Pops a value, and keeps it as one of the task's user values. */
void task_keep_value(lua_State *L, const task *t, int value);
void task_let_go(lua_State *L, task *t); /* of what task_wait_holding keeps */

/* Likewise the task keeps the scopes that it is in: a userdata with one user value for each. */
void task_enter_scope(lua_State *L, task *t, int index);
void task_leave_scope(lua_State *L, task *t);

/* Its present wait and every later one raise. */
void task_cancel(task *t);

/* Only the script keeps it alive from now on. */
void task_release(lua_State *L, task *t);

/* Its parent will not raise its error any more. */
void task_forget_failure(lua_State *L, task *failed);

/* Calls fn with every living task below this one, innermost first, down to so many generations. */
void task_visit(const task *t, int generations, void (*fn)(void *context, task *t), void *context);

#endif
