#include <lauxlib.h>
#include <string.h>

#include "binding/misuse.h"
#include "binding/task/state.h"
#include "platform/clock.h"

enum {
  LINES_MOST = 20,
  GENERATIONS_MOST = 100, /* bounds the recursion through tasks below tasks */
  TEXT_MOST = 200,
};

/* A waiting call of the script, with all tasks that wait there. */
struct wait {
  char text[TEXT_MOST]; /* of the task that has waited longest */
  char call[32];
  char source[LUA_IDSIZE]; /* with `line`, the place of the call */
  int line;
  int tasks;
  uint64_t since_ns;
};

struct waits {
  lua_State *L;
  struct wait lines[LINES_MOST];
  int count;
  int others; /* tasks that had no room in `lines` */
};

/* Whether the value on top is one of lunet's that a task can wait for: any except a host. */
static bool waits_is_subject(lua_State *L) {
  if (lua_type(L, -1) != LUA_TUSERDATA || luaL_getmetafield(L, -1, "__name") != LUA_TSTRING)
    return false;
  const char *type = lua_tostring(L, -1);
  bool is_own = strncmp(type, "lunet.", 6) == 0 && strcmp(type, "lunet.host") != 0;
  lua_pop(L, 1);
  return is_own;
}

/* Pushes " on " and what the function waits for: its first argument, or its second if the first is
 * a host or nil. Otherwise pushes "". */
static void waits_push_subject(lua_State *L, lua_State *co, const lua_Debug *function) {
  for (int i = 1; i <= 2 && lua_getlocal(co, function, i) != NULL; i++) {
    lua_xmove(co, L, 1);
    if (waits_is_subject(L)) {
      lua_pushfstring(L, " on %s", luaL_tolstring(L, -1, NULL));
      return;
    }
    lua_pop(L, 1);
  }
  lua_pushliteral(L, "");
}

/* Writes "accept on listener 127.0.0.1:80 (in serve), at server.lua:8". False: the task's body has
 * ended, and it waits only for its children, which have lines of their own. */
static bool waits_write_text(lua_State *L, lua_State *co, struct wait *out) {
  int top = lua_gettop(L);
  lua_Debug own, called, caller;
  if (!lua_getstack(co, 0, &own)) return false;
  lua_getinfo(co, "n", &own);
  if (own.name == NULL) return false;
  int level = misuse_find_called(L, co, &called);
  bool is_known = lua_getstack(co, level, &caller) != 0;
  if (is_known) {
    lua_getinfo(co, "Sl", &caller);
    memcpy(out->source, caller.short_src, sizeof out->source);
    out->line = caller.currentline;
  }
  snprintf(out->call, sizeof out->call, "%s", own.name);
  const char *outer = called.name != NULL && strcmp(called.name, out->call) != 0
                        ? lua_pushfstring(L, " (in %s)", called.name)
                        : "";
  const char *place = is_known && caller.currentline > 0
                        ? lua_pushfstring(L, ", at %s:%d", caller.short_src, caller.currentline)
                        : "";
  waits_push_subject(L, co, &own);
  lua_pushfstring(L, "%s%s%s%s", out->call, lua_tostring(L, -1), outer, place);
  snprintf(out->text, sizeof out->text, "%s", lua_tostring(L, -1));
  lua_settop(L, top);
  return true;
}

static bool waits_is_same(const struct wait *a, const struct wait *b) {
  return a->line == b->line && strcmp(a->source, b->source) == 0 && strcmp(a->call, b->call) == 0;
}

static struct wait *waits_find(struct waits *ws, const struct wait *w) {
  for (int i = 0; i < ws->count; i++)
    if (waits_is_same(&ws->lines[i], w)) return &ws->lines[i];
  return NULL;
}

static void waits_add(struct waits *ws, task *t) {
  struct wait w = {.tasks = 1, .since_ns = t->op.waits_since_ns};
  if (!lua_checkstack(t->L, LUA_MINSTACK) || !lua_checkstack(ws->L, LUA_MINSTACK)) return;
  if (!waits_write_text(ws->L, t->L, &w)) return;
  struct wait *same = waits_find(ws, &w);
  if (same != NULL) {
    same->tasks++;
    if (w.since_ns < same->since_ns) w.tasks = same->tasks, *same = w;
  } else if (ws->count < LINES_MOST) {
    ws->lines[ws->count++] = w;
  } else {
    ws->others++;
  }
}

static void waits_add_waiting(void *context, task *t) {
  if (t->L != NULL && t->op.state == OP_WAITING && !t->op.is_background) waits_add(context, t);
}

void waits_push(lua_State *L, runtime *rt) {
  struct waits ws = {.L = L};
  uint64_t now_ns = clock_now_ns();
  luaL_Buffer text;
  task_visit(&rt->main, GENERATIONS_MOST, waits_add_waiting, &ws);
  luaL_buffinit(L, &text);
  if (ws.count > 0) luaL_addstring(&text, "\nwaiting:");
  for (int i = 0; i < ws.count; i++) {
    const struct wait *w = &ws.lines[i];
    char line[TEXT_MOST + 64], tasks[32] = "";
    if (w->tasks > 1) snprintf(tasks, sizeof tasks, ", %d tasks", w->tasks);
    snprintf(line, sizeof line, "\n  %s, for %.1f s%s", w->text,
             (double)(now_ns - w->since_ns) / 1e9, tasks);
    luaL_addstring(&text, line);
  }
  if (ws.others > 0) {
    lua_pushfstring(L, "\n  and %d more tasks elsewhere", ws.others);
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
}
