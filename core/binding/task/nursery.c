#include "binding/task/nursery.h"

#include <lauxlib.h>

#include "binding/failure.h"
#include "binding/task/wait.h"

void nursery_open(nursery *n, task *owner, scope *handles) {
  *n = (nursery){.owner = owner, .handles = handles};
  list_init(&n->children);
}

void nursery_cancel(nursery *n) {
  for (list *l = n->children.next; l != &n->children; l = l->next)
    task_cancel(LIST_ENTRY(l, task, in_parent));
}

bool nursery_takes_errors(const nursery *n) { return !n->has_failed || n->is_canceled; }

/* The error is above n->base. */
static void nursery_fail(lua_State *L, nursery *n) {
  n->has_failed = true;
  failure_push_canceled(L);
  n->is_canceled = lua_rawequal(L, -1, n->base + 1);
  lua_settop(L, n->base + 1);
}

/* Drops the later errors of its children: they follow from the one that the nursery fails with. */
static void nursery_drop_failures(lua_State *L, nursery *n) {
  list *failures = &n->owner->failures;
  for (list *l = failures->next, *next; l != failures; l = next) {
    task *failed = LIST_ENTRY(l, task, in_parent);
    next = l->next;
    if (failed->parent == n) task_forget_failure(L, failed);
  }
}

static int nursery_ignore(lua_State *L, op *o) {
  (void)L, (void)o;
  return 0;
}

/* The body has ended; its results, or its error if n->has_failed, are above n->base. Waits for the
 * children. The first error, of the body or of a child, cancels the remaining children. */
static int nursery_settle(lua_State *L, int status, lua_KContext context) {
  nursery *n = (nursery *)context;
  task *t = n->owner;
  (void)status;
  if (!task_is_current(t)) return wait_park(L, t, nursery_settle, n);
  n->is_settling = true;
  if (nursery_takes_errors(n) && wait_take_error(L, t)) {
    lua_insert(L, n->base + 1); /* in place of the results */
    nursery_fail(L, n);
  }
  if (n->has_failed) nursery_cancel(n);
  if (!list_empty(&n->children)) {
    op_start(&t->op, loop_ops(t->rt->lp), DEADLINE_NEVER);
    t->op.awaits_tasks = true;
    op_wait(&t->op, NULL);
    t->finish = nursery_ignore;
    return wait_park(L, t, nursery_settle, n);
  }
  n->is_settling = false;
  if (n->has_failed) nursery_drop_failures(L, n);
  return n->settled(L, n);
}

static int nursery_body_ended(lua_State *L, int status, lua_KContext context) {
  nursery *n = (nursery *)context;
  lua_checkstack(L, LUA_MINSTACK);
  if (status != LUA_OK && status != LUA_YIELD) nursery_fail(L, n);
  return nursery_settle(L, status, context);
}

int nursery_run(lua_State *L, nursery *n) {
  int arguments = lua_gettop(L) - n->base;
  lua_pushcfunction(L, failure_note);
  lua_insert(L, n->base);
  int status = lua_pcallk(L, arguments, LUA_MULTRET, n->base, (lua_KContext)n, nursery_body_ended);
  return nursery_body_ended(L, status, (lua_KContext)n);
}

/* -- lunet.scope --------------------------------------------------------------------------- */

struct scoped {
  nursery nursery; /* first, so that a nursery's address is its scoped's */
  scope handles;
};

void nursery_leave(lua_State *L, nursery *n) {
  n->owner->nursery = n->outer;
  scope_close(n->handles);
  task_leave_scope(L, n->owner);
}

static int nursery_leave_settled(lua_State *L, nursery *n) {
  nursery_leave(L, n);
  return n->has_failed ? lua_error(L) : lua_gettop(L) - n->base;
}

int nursery_scope(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  task *t = wait_check(L); /* the end of the scope waits */
  struct scoped *s = lua_newuserdatauv(L, sizeof *s, 1);
  lua_insert(L, 1);
  task_enter_scope(L, t, 1);
  nursery *n = &s->nursery;
  nursery_open(n, t, &s->handles);
  scope_open(&s->handles, loop_scopes(t->rt->lp));
  n->outer = t->nursery;
  n->base = 2;
  n->settled = nursery_leave_settled;
  t->nursery = n;
  return nursery_run(L, n);
}
