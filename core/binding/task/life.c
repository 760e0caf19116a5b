#include "binding/task/life.h"

#include <lauxlib.h>

#include "binding/failure.h"
#include "binding/misuse.h"
#include "binding/task/nursery.h"
#include "binding/task/outcome.h"
#include "binding/task/wait.h"
#include "binding/type.h"

static int life_settled(lua_State *L, nursery *n) {
  task *t = n->owner;
  if (!n->has_failed) {
    t->state = TASK_DONE;
    return lua_gettop(L) - n->base;
  }
  t->state = n->is_canceled ? TASK_CANCELED : TASK_FAILED;
  return 1;
}

/* The first function of a task's coroutine. The stack: the task, its body, the body's arguments. */
static int life_run_body(lua_State *L) {
  task *t = lua_touserdata(L, 1);
  t->body.base = 2;
  t->body.settled = life_settled;
  return nursery_run(L, &t->body);
}

const char *life_push_spawned_at(lua_State *L, const task *t) {
  lua_Debug caller;
  bool is_lua = lua_getiuservalue(L, -1, VALUE_SPAWNER) == LUA_TFUNCTION && t->spawned_line > 0;
  if (!is_lua) {
    lua_pop(L, 1);
    return lua_pushliteral(L, "?");
  }
  lua_getinfo(L, ">S", &caller);
  return lua_pushfstring(L, "%s:%d", caller.short_src, t->spawned_line);
}

/* Moves the results or the error from the coroutine's stack to the task's outcome, which replaces
 * the coroutine. The task is on top of L. */
static void life_keep_outcome(lua_State *L, task *t, int results) {
  if (t->state == TASK_DONE && !lua_checkstack(L, results + LUA_MINSTACK)) {
    lua_settop(t->L, 0);
    lua_pushliteral(t->L, "too many results");
    t->state = TASK_FAILED;
  }
  if (t->state == TASK_FAILED) {
    outcome_push_error(L, t->L, life_push_spawned_at(L, t));
    lua_remove(L, -2);
  } else {
    outcome_push(L, t->L, t->state == TASK_DONE ? results : 0);
  }
  lua_setiuservalue(L, -2, VALUE_OUTCOME);
}

static void life_tell_parent(task *t, bool is_joined) {
  nursery *parent = t->parent;
  list_remove(&t->in_parent);
  bool is_news = t->state == TASK_FAILED && !is_joined && nursery_takes_errors(parent);
  if (is_news) list_append(&parent->owner->failures, &t->in_parent);
  if (is_news || (parent->is_settling && list_empty(&parent->children)))
    op_end(&parent->owner->op, OP_CANCELED);
}

/* L: any stack except the task's own. */
static void life_end(lua_State *L, task *t, int results) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_getiuservalue(L, -1, VALUE_THREAD); /* the outcome will replace the coroutine */
  lua_insert(L, -2);
  life_keep_outcome(L, t, results);
  t->L = NULL;
  op_release(&t->op);
  bool is_joined = !list_empty(&t->joiners);
  op_end_all(&t->joiners, 0);
  life_tell_parent(t, is_joined);
  if (list_empty(&t->in_parent)) task_release(L, t);
  lua_pop(L, 2);
}

static void life_raise_canceled(lua_State *L, lua_Debug *unused) {
  (void)unused;
  lua_sethook(L, NULL, 0, 0);
  failure_push_canceled(L);
  lua_error(L);
}

static void life_resume(task *t, int arguments) {
  runtime *rt = t->rt;
  lua_State *L = rt->main.L;
  int results;
  /* coroutine.yield does not raise the cancellation, and the script's loop might never end. */
  if (t->has_yielded && t->is_canceled)
    lua_sethook(t->L, life_raise_canceled, LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  t->has_yielded = false;
  rt->current = t;
  int status = lua_resume(t->L, L, arguments, &results);
  rt->current = &rt->main;
  lua_checkstack(L, LUA_MINSTACK);
  if (status == LUA_YIELD) {
    if (t->op.state != OP_DELIVERED && t->op.state != OP_IDLE) return;
    /* The script called coroutine.yield in a task: let the other tasks run. */
    lua_pop(t->L, results);
    t->has_yielded = true;
    op_start(&t->op, loop_ops(rt->lp), DEADLINE_NEVER);
    op_end(&t->op, 0);
    op_postpone(&t->op);
    return;
  }
  if (status != LUA_OK) { /* an error outside the protected call: no memory, or the C stack */
    lua_checkstack(t->L, LUA_MINSTACK);
    t->state = TASK_FAILED;
    results = 1;
  }
  life_end(L, t, results);
}

/* Whether the script has closed the task's coroutine: an empty stack is the only sign. */
static bool life_is_closed(const task *t) {
  int status = lua_status(t->L);
  return status == LUA_OK ? lua_gettop(t->L) == 0 : status != LUA_YIELD;
}

/* Cancels the nursery's children, and waits for them. False: it has no children. */
static bool life_wait_for_children(task *t, nursery *n) {
  nursery_cancel(n);
  if (list_empty(&n->children)) return false;
  n->is_settling = true;
  op_start(&t->op, loop_ops(t->rt->lp), DEADLINE_NEVER);
  op_wait(&t->op, NULL);
  return true;
}

/* Ends the task in place of its closed coroutine. Leaves the scopes, the innermost first. The task
 * ends as canceled, unless a child has failed. */
static void life_end_closed(task *t) {
  lua_State *L = t->rt->main.L;
  op_release(&t->op);
  task_let_go(L, t);
  t->is_canceled = true;
  while (!life_wait_for_children(t, t->nursery)) {
    if (t->nursery != &t->body) {
      nursery_leave(L, t->nursery);
      continue;
    }
    t->state = list_empty(&t->failures) ? TASK_CANCELED : TASK_FAILED;
    wait_take_error(L, t);
    lua_xmove(L, t->L, 1);
    while (!list_empty(&t->failures))
      task_forget_failure(L, LIST_ENTRY(t->failures.next, task, in_parent));
    life_end(L, t, 1);
    return;
  }
}

static void life_go_on(op *o) {
  task *t = (task *)o;
  if (life_is_closed(t)) {
    life_end_closed(t);
    return;
  }
  if (t->state != TASK_NEW) {
    life_resume(t, 0);
    return;
  }
  t->state = TASK_RUNNING;
  if (!t->is_canceled) {
    life_resume(t, lua_gettop(t->L) - 1);
    return;
  }
  lua_settop(t->L, 0); /* canceled before it began */
  failure_push_canceled(t->L);
  t->state = TASK_CANCELED;
  life_end(t->rt->main.L, t, 1);
}

static void life_ignore(op *o) { (void)o; /* wait_drive looks at the op's state */ }

void life_open_main(runtime *rt, lua_State *L) {
  task_init(&rt->main, rt, L);
  rt->main.op.done = life_ignore;
  lua_newuserdatauv(L, 0, VALUES); /* holds the user values that other tasks have themselves */
  rt->main.self = luaL_ref(L, LUA_REGISTRYINDEX);
  rt->main.state = TASK_RUNNING;
  nursery_open(&rt->main.body, &rt->main, loop_scope(rt->lp));
  rt->current = &rt->main;
}

/* Keeps the function and line that spawn the task, which is on top. Only a failure turns them into
 * text. */
static void life_keep_spawner(lua_State *L, task *t) {
  lua_Debug caller;
  if (!lua_getstack(L, 1, &caller) || !lua_getinfo(L, "lf", &caller)) return;
  t->spawned_line = caller.currentline;
  lua_setiuservalue(L, -2, VALUE_SPAWNER);
}

int task_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  runtime *rt = runtime_of(L);
  nursery *parent = rt->current->nursery;
  int arguments = lua_gettop(L); /* including the body */
  task *t = lua_newuserdatauv(L, sizeof *t, VALUES);
  task_init(t, rt, NULL);
  type_set(L, TASK_TYPE);
  life_keep_spawner(L, t);
  t->L = lua_newthread(L);
  lua_setiuservalue(L, -2, VALUE_THREAD);
  lua_insert(L, 1); /* puts the task below the body */
  if (!lua_checkstack(t->L, arguments + 2)) misuse(L, "too many arguments");
  lua_pushcfunction(t->L, life_run_body);
  lua_pushlightuserdata(t->L, t);
  lua_xmove(L, t->L, arguments);
  lua_pushvalue(L, 1);
  t->self = luaL_ref(L, LUA_REGISTRYINDEX);
  nursery_open(&t->body, t, parent->handles);
  t->parent = parent;
  list_append(&parent->children, &t->in_parent);
  op_start(&t->op, loop_ops(rt->lp), DEADLINE_NEVER);
  t->op.done = life_go_on;
  op_end(&t->op, 0);
  op_postpone(&t->op); /* the task starts when its parent waits */
  return 1;
}
