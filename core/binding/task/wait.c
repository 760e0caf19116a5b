#include "binding/task/wait.h"

#include <lauxlib.h>

#include "binding/failure.h"
#include "binding/interrupt.h"
#include "binding/misuse.h"
#include "binding/task/outcome.h"

static int wait_continue(lua_State *L, int status, lua_KContext context);

static void wait_refuse(lua_State *L, const runtime *rt) {
  if (rt->current == &rt->main && L == rt->main.L)
    misuse(L, rt->is_driving ? "cannot wait: the main thread is waiting already"
                             : "a finalizer cannot wait");
  if (rt->current->L != L) misuse(L, "a plain coroutine cannot wait: start it with lunet.spawn");
  misuse(L, "a task cannot wait here: inside require, a sort or gsub callback, a metamethod "
            "called from C, an error handler or a finalizer");
}

/* A finalizer may run in the middle of a wait, and the main thread has only one op. Inside a
 * finalizer lua_gc refuses every request: lgc.c, GCTM; lapi.c, lua_gc. */
static bool wait_is_finalizing(lua_State *L) { return lua_gc(L, LUA_GCCOUNT) < 0; }

static bool wait_is_possible(lua_State *L, const runtime *rt) {
  if (rt->current->L != L) return false;
  return L == rt->main.L ? !rt->is_driving && !wait_is_finalizing(L) : lua_isyieldable(L);
}

task *wait_check(lua_State *L) {
  runtime *rt = runtime_of(L);
  task *t = rt->current;
  if (!wait_is_possible(L, rt)) wait_refuse(L, rt);
  if (wait_take_error(L, t)) lua_error(L);
  return t;
}

void task_check(lua_State *L) { wait_check(L); }

static op *wait_start(task *t, uint64_t deadline_ns) {
  op_release(&t->op); /* an error may have kept task_wait from releasing it */
  op_start(&t->op, loop_ops(t->rt->lp), deadline_ns);
  return &t->op;
}

op *task_start(lua_State *L, uint64_t deadline_ns) {
  return wait_start(runtime_of(L)->current, deadline_ns);
}

op *task_begin(lua_State *L, uint64_t deadline_ns) {
  return wait_start(wait_check(L), deadline_ns);
}

static bool wait_push_error(lua_State *L, runtime *rt, const char *text) {
  lua_Debug called;
  luaL_where(L, misuse_find_called(L, L, &called));
  lua_pushstring(L, text);
  waits_push(L, rt);
  lua_concat(L, 3);
  return true;
}

bool wait_take_error(lua_State *L, task *t) {
  if (t == &t->rt->main && interrupt_take()) return wait_push_error(L, t->rt, interrupt_text());
  if (t == &t->rt->main && t->rt->is_stuck) {
    t->rt->is_stuck = false;
    return wait_push_error(L, t->rt,
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

/* Runs the loop until the main thread's op is delivered. */
static void wait_drive(runtime *rt) {
  op *o = &rt->main.op;
  rt->is_driving = true;
  while (o->state != OP_DELIVERED) {
    rt->is_stuck = ops_is_stuck(loop_ops(rt->lp));
    if (rt->is_stuck || interrupt_pending()) op_end(o, OP_CANCELED);
    loop_step(rt->lp, true);
  }
  rt->is_driving = false;
}

int wait_park(lua_State *L, task *t, lua_KFunction then, void *context) {
  if (t != &t->rt->main) return lua_yieldk(L, 0, (lua_KContext)context, then);
  wait_drive(t->rt);
  return then(L, LUA_YIELD, (lua_KContext)context);
}

static int wait_finish(lua_State *L, task *t) {
  op_idle(&t->op);
  task_let_go(L, t);
  int results = t->finish(L, &t->op);
  op_release(&t->op);
  return results;
}

int task_wait(lua_State *L, op *o, task_finish finish) {
  task *t = (task *)o;
  t->finish = finish;
  if (op_ended(&t->op) && list_empty(&t->op.link)) { /* in a list: it waited, and is ready */
    if (ops_spend(loop_ops(t->rt->lp), o)) return wait_finish(L, t);
    op_postpone(&t->op);
  }
  return wait_park(L, t, wait_continue, t);
}

int task_wait_holding(lua_State *L, op *o, int index, task_finish finish) {
  task *t = (task *)o;
  if (!op_ended(o)) {
    lua_pushvalue(L, index);
    task_keep_value(L, t, VALUE_HELD);
    t->is_holding = true;
  }
  return task_wait(L, o, finish);
}

static int wait_continue(lua_State *L, int status, lua_KContext context) {
  task *t = (task *)context;
  if (!task_is_current(t)) return wait_park(L, t, wait_continue, t);
  bool was_ended_from_outside = t->op.result == OP_CANCELED;
  int results = wait_finish(L, t);
  (void)status;
  if (was_ended_from_outside && wait_take_error(L, t)) return lua_error(L);
  return results;
}
