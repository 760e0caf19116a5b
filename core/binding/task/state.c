#include "binding/task/state.h"

#include <lauxlib.h>

runtime *runtime_of(lua_State *L) {
  runtime *rt = lua_touserdata(L, lua_upvalueindex(1));
  if (rt->lp == NULL) luaL_error(L, "lunet is closing with its Lua state");
  return rt;
}

loop *task_loop(lua_State *L) { return runtime_of(L)->lp; }
scope *task_scope(lua_State *L) { return runtime_of(L)->current->nursery->handles; }
loop *runtime_loop(runtime *rt) { return rt->lp; }

lua_State *runtime_running(const runtime *rt) {
  bool is_polling = rt->is_driving && rt->current == &rt->main;
  return is_polling ? NULL : rt->current->L;
}

void task_init(task *t, runtime *rt, lua_State *L) {
  *t = (task){.rt = rt, .L = L};
  list_init(&t->op.link);
  list_init(&t->in_parent);
  list_init(&t->joiners);
  list_init(&t->failures);
  t->nursery = &t->body;
}

bool task_is_current(const task *t) { return t->rt->current == t; }

void task_keep_value(lua_State *L, const task *t, int value) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, t->self);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, value);
  lua_pop(L, 1);
}

void task_let_go(lua_State *L, task *t) {
  if (!t->is_holding) return;
  lua_pushnil(L);
  task_keep_value(L, t, VALUE_HELD);
  t->is_holding = false;
}

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

void task_cancel(task *t) {
  t->is_canceled = true;
  op_end(&t->op, OP_CANCELED);
}

void task_release(lua_State *L, task *t) { luaL_unref(L, LUA_REGISTRYINDEX, t->self); }

void task_forget_failure(lua_State *L, task *failed) {
  list_remove(&failed->in_parent);
  task_release(L, failed);
}

void task_visit(const task *t, int generations, void (*fn)(void *context, task *t), void *context) {
  for (const nursery *n = t->nursery; n != NULL; n = n->outer) {
    for (list *l = n->children.next; l != &n->children; l = l->next) {
      task *child = LIST_ENTRY(l, task, in_parent);
      if (generations > 1) task_visit(child, generations - 1, fn, context);
      fn(context, child);
    }
  }
}
