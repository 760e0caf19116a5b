#include "binding/task.h"

#include <lauxlib.h>

#include "binding/failure.h"
#include "binding/interrupt.h"
#include "binding/misuse.h"
#include "binding/outcome.h"
#include "binding/runtime.h"
#include "binding/timeout.h"
#include "binding/type.h"
#include "binding/waits.h"

const char TASK_TYPE[] = "lunet.task";

/* The user values of a task. While it lives, its coroutine has the place of its outcome. */
enum {
  VALUE_THREAD = 1,
  VALUE_OUTCOME = VALUE_THREAD,
  VALUE_SPAWNER, /* the function that called lunet.spawn */
  VALUE_SCOPE,   /* the innermost lunet.scope, whose own user value is the next one outwards */
  VALUE_HELD,    /* see task_wait_holding */
  VALUES = VALUE_HELD
};

static int continue_wait(lua_State *L, int status, lua_KContext context);

/* -- waiting ------------------------------------------------------------------------------- */

static void refuse(lua_State *L, const runtime *rt) {
  if (rt->current == &rt->main && L == rt->main.L)
    misuse(L, rt->is_driving ? "cannot wait: the main thread is waiting already"
                             : "a finalizer cannot wait");
  if (rt->current->L != L) misuse(L, "a plain coroutine cannot wait: start it with lunet.spawn");
  misuse(L, "a task cannot wait here: inside require, a sort or gsub callback, a metamethod "
            "called from C, an error handler or a finalizer");
}

/* A finalizer may run between the start of a wait and its end, which have one op between them. The
 * collector answers no question inside one: lgc.c, GCTM; lapi.c, lua_gc. */
static bool is_finalizing(lua_State *L) { return lua_gc(L, LUA_GCCOUNT) < 0; }

static bool can_wait(lua_State *L, const runtime *rt) {
  if (rt->current->L != L) return false;
  return L == rt->main.L ? !rt->is_driving && !is_finalizing(L) : lua_isyieldable(L);
}

task *task_waiting(lua_State *L) {
  runtime *rt = runtime_of(L);
  task *t = rt->current;
  if (!can_wait(L, rt)) refuse(L, rt);
  if (task_take_error(L, t)) lua_error(L);
  return t;
}

bool task_is_current(const task *t) { return t->rt->current == t; }

task *task_begin(lua_State *L, uint64_t deadline_ns) {
  task *t = task_waiting(L);
  op_release(&t->op); /* an error may have left something */
  op_start(&t->op, t->rt->lp, deadline_ns);
  return t;
}

static bool push_with_waits(lua_State *L, runtime *rt, const char *text) {
  lua_Debug called;
  luaL_where(L, misuse_find_called(L, L, &called));
  lua_pushstring(L, text);
  waits_push(L, rt);
  lua_concat(L, 3);
  return true;
}

bool task_take_error(lua_State *L, task *t) {
  if (t == &t->rt->main && interrupt_take()) return push_with_waits(L, t->rt, interrupt_text());
  if (t == &t->rt->main && t->rt->is_stuck) {
    t->rt->is_stuck = false;
    return push_with_waits(L, t->rt,
                           "deadlock: tasks wait for each other's end, and for nothing else");
  }
  if (list_empty(&t->failures)) {
    if (t->is_canceled) failure_push_canceled(L);
    return t->is_canceled;
  }
  task *failed = LIST_ENTRY(t->failures.next, task, in_parent);
  lua_rawgeti(L, LUA_REGISTRYINDEX, failed->self);
  lua_getiuservalue(L, -1, VALUE_OUTCOME);
  outcome_error(L);
  task_forget_failure(L, failed);
  lua_replace(L, -2);
  return true;
}

/* The main thread waits: the loop runs until its op is delivered. */
static void drive(runtime *rt) {
  op *o = &rt->main.op;
  rt->is_driving = true;
  while (o->state != OP_DELIVERED) {
    rt->is_stuck = loop_is_stuck(rt->lp);
    if (rt->is_stuck || interrupt_pending()) op_end(o, OP_CANCELED);
    loop_step(rt->lp, true);
  }
  rt->is_driving = false;
}

int task_park(lua_State *L, task *t, lua_KFunction then, void *context) {
  if (t != &t->rt->main) return lua_yieldk(L, 0, (lua_KContext)context, then);
  drive(t->rt);
  return then(L, LUA_YIELD, (lua_KContext)context);
}

/* Pops a value, and keeps it as one of the task's user values. */
static void keep_value(lua_State *L, const task *t, int value) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, value);
  lua_pop(L, 1);
}

static void let_go(lua_State *L, task *t) {
  if (!t->is_holding) return;
  lua_pushnil(L);
  keep_value(L, t, VALUE_HELD);
  t->is_holding = false;
}

static int finish_wait(lua_State *L, task *t) {
  t->op.state = OP_IDLE;
  let_go(L, t);
  int results = t->finish(L, &t->op);
  op_release(&t->op);
  return results;
}

int task_wait(lua_State *L, task *t, task_finish finish) {
  t->finish = finish;
  if (op_ended(&t->op) && list_empty(&t->op.link)) { /* else it had to wait, and is ready already */
    if (loop_spend(t->rt->lp)) return finish_wait(L, t);
    op_postpone(&t->op);
  }
  return task_park(L, t, continue_wait, t);
}

int task_wait_holding(lua_State *L, task *t, int index, task_finish finish) {
  if (!op_ended(&t->op)) {
    lua_pushvalue(L, index);
    keep_value(L, t, VALUE_HELD);
    t->is_holding = true;
  }
  return task_wait(L, t, finish);
}

static int continue_wait(lua_State *L, int status, lua_KContext context) {
  task *t = (task *)context;
  if (!task_is_current(t)) return task_park(L, t, continue_wait, t);
  bool was_ended_from_outside = t->op.result == OP_CANCELED;
  int results = finish_wait(L, t);
  (void)status;
  if (was_ended_from_outside && task_take_error(L, t)) return lua_error(L);
  return results;
}

/* -- its scopes ---------------------------------------------------------------------------- */

void task_enter_scope(lua_State *L, task *t, int index) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_getiuservalue(L, -1, VALUE_SCOPE);
  lua_setiuservalue(L, index, 1);
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, VALUE_SCOPE);
  lua_pop(L, 1);
}

void task_leave_scope(lua_State *L, task *t) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_getiuservalue(L, -1, VALUE_SCOPE);
  lua_getiuservalue(L, -1, 1);
  lua_setiuservalue(L, -3, VALUE_SCOPE);
  lua_pop(L, 2);
}

/* -- what its nursery does to a task --------------------------------------------------------- */

void task_cancel(task *t) {
  t->is_canceled = true;
  op_end(&t->op, OP_CANCELED);
}

static void release(lua_State *L, task *t) {
  luaL_unref(L, LUA_REGISTRYINDEX, t->self); /* only the script keeps it now */
}

void task_forget_failure(lua_State *L, task *failed) {
  list_remove(&failed->in_parent);
  release(L, failed);
}

/* -- the life of a task -------------------------------------------------------------------- */

static int task_settled(lua_State *L, nursery *n) {
  task *t = n->owner;
  if (!n->has_failed) {
    t->state = TASK_DONE;
    return lua_gettop(L) - n->base;
  }
  t->state = n->is_canceled ? TASK_CANCELED : TASK_FAILED;
  return 1;
}

/* Lies on top of the stack below until the task begins: it is what coroutine.resume calls, if the
 * script has kept the coroutine of a task that is over, which serves again. */
static int refuse_resume(lua_State *L) {
  return misuse(L, "cannot resume the coroutine of a task that has not begun");
}

/* The first function of a coroutine: its stack is the task, the body and its arguments. */
static int task_body(lua_State *L) {
  task *t = lua_touserdata(L, 1);
  t->born.base = 2;
  t->born.settled = task_settled;
  return nursery_run(L, &t->born);
}

/* Pushes "file:line" of the Lua code that spawned the task, which is on top of L. */
static const char *push_spawned_at(lua_State *L, const task *t) {
  lua_Debug caller;
  bool is_lua = lua_getiuservalue(L, -1, VALUE_SPAWNER) == LUA_TFUNCTION && t->spawned_line > 0;
  if (!is_lua) {
    lua_pop(L, 1);
    return lua_pushliteral(L, "?");
  }
  lua_getinfo(L, ">S", &caller);
  return lua_pushfstring(L, "%s:%d", caller.short_src, t->spawned_line);
}

/* Keeps what the coroutine left on its stack, in its place. The task is on top of L. */
static void keep_outcome(lua_State *L, task *t, int results) {
  if (t->state == TASK_DONE && !lua_checkstack(L, results + LUA_MINSTACK)) {
    lua_settop(t->L, 0);
    lua_pushliteral(t->L, "too many results");
    t->state = TASK_FAILED;
  }
  if (t->state == TASK_FAILED) {
    outcome_push_error(L, t->L, push_spawned_at(L, t));
    lua_remove(L, -2);
  } else {
    outcome_push(L, t->L, t->state == TASK_DONE ? results : 0);
  }
  lua_setiuservalue(L, -2, VALUE_OUTCOME);
}

static void tell_parent(task *t, bool is_joined) {
  nursery *parent = t->parent;
  list_remove(&t->in_parent);
  bool is_news = t->state == TASK_FAILED && !is_joined && nursery_takes_errors(parent);
  if (is_news) list_append(&parent->owner->failures, &t->in_parent);
  if (is_news || (parent->is_settling && list_empty(&parent->children)))
    op_end(&parent->owner->op, OP_CANCELED);
}

/* L: any stack but the task's own. */
static void task_ended(lua_State *L, task *t, int results) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_getiuservalue(L, -1, VALUE_THREAD); /* nothing else keeps it in a moment */
  lua_insert(L, -2);
  keep_outcome(L, t, results);
  if (lua_status(t->L) == LUA_OK) coroutine_keep(L, &t->rt->coroutines, t->L);
  t->L = NULL;
  op_release(&t->op);
  bool is_joined = !list_empty(&t->joiners);
  op_end_all(&t->joiners, 0);
  tell_parent(t, is_joined);
  if (list_empty(&t->in_parent)) release(L, t);
  lua_pop(L, 2);
}

static void raise_canceled(lua_State *L, lua_Debug *unused) {
  (void)unused;
  lua_sethook(L, NULL, 0, 0);
  failure_push_canceled(L);
  lua_error(L);
}

static void resume(task *t, int arguments) {
  runtime *rt = t->rt;
  lua_State *L = rt->main.L;
  int results;
  /* coroutine.yield cannot raise by itself, and a loop around it would never end. */
  if (t->has_yielded && t->is_canceled)
    lua_sethook(t->L, raise_canceled, LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  t->has_yielded = false;
  rt->current = t;
  int status = lua_resume(t->L, L, arguments, &results);
  rt->current = &rt->main;
  lua_checkstack(L, LUA_MINSTACK);
  if (status == LUA_YIELD) {
    if (t->op.state != OP_DELIVERED && t->op.state != OP_IDLE) return;
    /* A bare coroutine.yield in a task: the others get their turn. */
    lua_pop(t->L, results);
    t->has_yielded = true;
    op_start(&t->op, rt->lp, DEADLINE_NEVER);
    op_end(&t->op, 0);
    op_postpone(&t->op);
    return;
  }
  if (status != LUA_OK) { /* an error outside the protected call: no memory, or the C stack */
    lua_checkstack(t->L, LUA_MINSTACK);
    t->state = TASK_FAILED;
    results = 1;
  }
  task_ended(L, t, results);
}

/* The script has closed its coroutine (an empty stack is all that tells it), or has resumed it
 * before the task began. */
static bool is_closed(const task *t) {
  int status = lua_status(t->L);
  return status == LUA_OK ? lua_gettop(t->L) == 0 : status != LUA_YIELD;
}

/* Waits for the children of the nursery, and cancels them. False: it has none. */
static bool wait_for_children(task *t, nursery *n) {
  nursery_cancel(n);
  if (list_empty(&n->children)) return false;
  n->is_settling = true;
  op_start(&t->op, t->rt->lp, DEADLINE_NEVER);
  op_wait(&t->op, NULL);
  return true;
}

/* Does what a closed coroutine cannot do any more: leaves the scopes, from the innermost outwards,
 * and ends the task as a canceled one, unless a child has failed. */
static void end_closed(task *t) {
  lua_State *L = t->rt->main.L;
  op_release(&t->op);
  let_go(L, t);
  t->is_canceled = true;
  while (!wait_for_children(t, t->nursery)) {
    if (t->nursery != &t->born) {
      nursery_leave(L, t->nursery);
      continue;
    }
    t->state = list_empty(&t->failures) ? TASK_CANCELED : TASK_FAILED;
    task_take_error(L, t);
    lua_xmove(L, t->L, 1);
    while (!list_empty(&t->failures))
      task_forget_failure(L, LIST_ENTRY(t->failures.next, task, in_parent));
    task_ended(L, t, 1);
    return;
  }
}

static void deliver(op *o) {
  task *t = (task *)o;
  if (is_closed(t)) {
    end_closed(t);
    return;
  }
  if (t->state != TASK_NEW) {
    resume(t, 0);
    return;
  }
  t->state = TASK_RUNNING;
  lua_pop(t->L, 1); /* refuse_resume */
  if (!t->is_canceled) {
    resume(t, lua_gettop(t->L) - 1);
    return;
  }
  lua_settop(t->L, 0); /* canceled before it began */
  failure_push_canceled(t->L);
  t->state = TASK_CANCELED;
  task_ended(t->rt->main.L, t, 1);
}

static void task_init(task *t, runtime *rt, lua_State *L) {
  *t = (task){.rt = rt, .L = L};
  list_init(&t->op.link);
  list_init(&t->in_parent);
  list_init(&t->joiners);
  list_init(&t->failures);
  t->nursery = &t->born;
}

static void deliver_main(op *o) { (void)o; /* drive looks at its state */ }

void task_open_main(runtime *rt, lua_State *L) {
  task_init(&rt->main, rt, L);
  rt->main.op.deliver = deliver_main;
  lua_newuserdatauv(L, 0, VALUES); /* in the place of a task's own */
  rt->main.self = luaL_ref(L, LUA_REGISTRYINDEX);
  rt->main.state = TASK_RUNNING;
  nursery_open(&rt->main.born, &rt->main, loop_scope(rt->lp));
  rt->current = &rt->main;
}

/* Keeps who spawns the task, which is on top: as text it is wanted only of one that fails. */
static void keep_spawner(lua_State *L, task *t) {
  lua_Debug caller;
  if (!lua_getstack(L, 1, &caller) || !lua_getinfo(L, "lf", &caller)) return;
  t->spawned_line = caller.currentline;
  lua_setiuservalue(L, -2, VALUE_SPAWNER);
}

int task_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  runtime *rt = runtime_of(L);
  nursery *parent = rt->current->nursery;
  int arguments = lua_gettop(L); /* the body among them */
  task *t = lua_newuserdatauv(L, sizeof *t, VALUES);
  task_init(t, rt, NULL);
  type_set(L, TASK_TYPE);
  keep_spawner(L, t);
  t->L = coroutine_push(L, &rt->coroutines);
  lua_setiuservalue(L, -2, VALUE_THREAD);
  lua_insert(L, 1); /* the task below the body */
  if (!lua_checkstack(t->L, arguments + 3)) misuse(L, "too many arguments");
  lua_pushcfunction(t->L, task_body);
  lua_pushlightuserdata(t->L, t);
  lua_xmove(L, t->L, arguments);
  lua_pushcfunction(t->L, refuse_resume);
  lua_pushvalue(L, 1);
  t->self = luaL_ref(L, LUA_REGISTRYINDEX);
  nursery_open(&t->born, t, parent->handles);
  t->parent = parent;
  list_append(&parent->children, &t->in_parent);
  op_start(&t->op, rt->lp, DEADLINE_NEVER);
  t->op.deliver = deliver;
  op_end(&t->op, 0);
  op_postpone(&t->op); /* it starts when its parent waits */
  return 1;
}

/* -- methods ------------------------------------------------------------------------------- */

static int push_outcome(lua_State *L, task *t) {
  if (t->state == TASK_CANCELED) return failure_push(L, OP_CANCELED, NULL);
  lua_getiuservalue(L, 1, VALUE_OUTCOME);
  if (t->state == TASK_DONE) return outcome_results(L);
  outcome_error(L);
  return lua_error(L);
}

static int push_joined(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "join");
  return push_outcome(L, luaL_checkudata(L, 1, TASK_TYPE));
}

static int join(lua_State *L) {
  task *joined = luaL_checkudata(L, 1, TASK_TYPE);
  uint64_t deadline_ns = timeout_argument(L, 2);
  lua_settop(L, 1);
  if (runtime_of(L)->current == joined) return misuse(L, "a task cannot join itself");
  task *t = task_begin(L, deadline_ns);
  if (joined->state < TASK_DONE) {
    t->op.awaits_tasks = deadline_ns == DEADLINE_NEVER;
    op_wait(&t->op, &joined->joiners);
  } else {
    if (!list_empty(&joined->in_parent)) task_forget_failure(L, joined); /* this join raises it */
    op_end(&t->op, 0);
  }
  return task_wait(L, t, push_joined);
}

static int cancel(lua_State *L) {
  task *t = luaL_checkudata(L, 1, TASK_TYPE);
  if (t->state < TASK_DONE) task_cancel(t);
  lua_pushboolean(L, 1);
  return 1;
}

static int to_string(lua_State *L) {
  const task *t = luaL_checkudata(L, 1, TASK_TYPE);
  lua_settop(L, 1);
  lua_pushfstring(L, "task spawned at %s", push_spawned_at(L, t));
  return 1;
}

static const luaL_Reg methods[] = {{"join", join}, {"cancel", cancel}, {NULL, NULL}};
static const luaL_Reg metamethods[] = {
  {"__tostring", to_string}, {"__close", cancel}, {NULL, NULL}};

void task_open_type(lua_State *L) { type_open(L, TASK_TYPE, methods, metamethods); }
