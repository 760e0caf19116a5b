/* The structs of tasks, nurseries and the runtime, for the files of core/binding/task/ only. */
#ifndef LUNET_BINDING_TASK_STATE_H
#define LUNET_BINDING_TASK_STATE_H

#include "binding/task.h"
#include "handle/loop.h"
#include "handle/scope.h"

typedef struct task task;
typedef struct nursery nursery;

/* See nursery.h. */
struct nursery {
  task *owner;
  nursery *outer; /* of the same task; NULL: this is the body's nursery */
  list children;  /* living tasks */
  scope *handles; /* a lunet.scope's own, or the surrounding nursery's */
  int base;       /* the owner's stack: results begin above this index */
  bool has_failed;
  bool is_canceled; /* its only failure is its owner's cancellation */
  bool is_settling; /* the owner waits here for the last child */
  int (*settled)(lua_State *L, nursery *n);
};

enum task_state { TASK_NEW, TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELED };

struct task {
  op op; /* its present wait; first, so that an op's address is its task's */
  runtime *rt;
  lua_State *L; /* its coroutine */
  task_finish finish;
  nursery body;     /* the nursery of its body */
  nursery *nursery; /* the innermost one: it spawns here at present */
  nursery *parent;  /* the nursery it was spawned in; NULL for the main task */
  list in_parent;   /* in the parent's children while the task lives; if it has failed, then in its
                       parent task's failures */
  list joiners;     /* join ops that wait for its end */
  list failures;    /* failed tasks whose errors it must still raise */
  int self; /* its reference in the registry, while it lives or its error is not raised yet */
  int spawned_line; /* the line that called lunet.spawn; 0 or less: the caller was not Lua code */
  uint8_t state;    /* enum task_state */
  bool is_canceled; /* every wait raises from now on */
  bool is_holding;  /* see task_wait_holding */
  bool has_yielded; /* the script called coroutine.yield, which counts as a wait */
};

/* The user values of a task. While it lives, its coroutine takes the place of its outcome. */
enum {
  VALUE_THREAD = 1,
  VALUE_OUTCOME = VALUE_THREAD,
  VALUE_SPAWNER, /* the function that called lunet.spawn */
  VALUE_SCOPE,   /* the innermost lunet.scope; its user value is the next one outwards */
  VALUE_HELD,    /* see task_wait_holding */
  VALUES = VALUE_HELD
};

/* Each Lua state has one, in its registry. */
struct runtime {
  loop *lp;        /* NULL until it is opened, and once the state is closing */
  task main;       /* the script itself; its coroutine is the main thread */
  task *current;   /* the task whose Lua code runs now */
  bool is_driving; /* the main thread waits, and so the loop runs */
  bool is_stuck;   /* deadlock: the main thread is about to raise it */
};

/* The runtime of the running function of lunet; raises if the state is closing. */
runtime *runtime_of(lua_State *L);

void task_init(task *t, runtime *rt, lua_State *L);

/* Whether the task's code runs now. False: the script has resumed the task's coroutine itself. */
bool task_is_current(const task *t);

/* Pops a Lua value, and keeps it as the task's user value number `value`. */
void task_keep_value(lua_State *L, const task *t, int value);
void task_let_go(lua_State *L, task *t); /* drops the value that task_wait_holding keeps */

/* The task keeps the scopes that it is in. The one at `index` is a userdata with one user value. */
void task_enter_scope(lua_State *L, task *t, int index);
void task_leave_scope(lua_State *L, task *t);

/* Makes the present wait and every later one raise. */
void task_cancel(task *t);

/* From now on, only the script keeps the task alive. */
void task_release(lua_State *L, task *t);

/* The parent will not raise this task's error. */
void task_forget_failure(lua_State *L, task *failed);

/* Calls fn for every living task below this one, to a depth of `generations`, deepest first. */
void task_visit(const task *t, int generations, void (*fn)(void *context, task *t), void *context);

#endif
