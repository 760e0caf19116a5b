#include "binding/trace.h"

#include <lauxlib.h>

#include "binding/event.h"
#include "binding/field.h"
#include "binding/task.h"
#include "handle/trace.h"

int trace_note_text(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  trace_note(loop_trace(task_loop(L)), text, length);
  lua_pushboolean(L, 1);
  return 1;
}

int trace_start(lua_State *L) {
  trace *t = loop_trace(task_loop(L));
  luaL_checktype(L, 1, LUA_TBOOLEAN);
  lua_pushinteger(L, (lua_Integer)trace_next(t));
  lua_pushboolean(L, trace_is_probing(t));
  trace_set_probing(t, lua_toboolean(L, 1));
  return 2;
}

/* A finalizer may record more events while this allocates, and so lose the event and its text. */
void trace_push_event(lua_State *L, const trace *t, const struct event *given) {
  struct event e = *given;
  struct event_table table = event_table_of(L);
  const char *text = event_text(&e);
  if (e.kind == EVENT_NOTE && text != NULL)
    lua_pushlstring(L, text, (size_t)e.bytes);
  else
    lua_pushstring(L, text);
  if (e.has_text) e.as.text = (char *)lua_tostring(L, -1);
  lua_createtable(L, 0, 8);
  event_describe(t, &e, &table.fields);
  lua_remove(L, -2);
}

/* A finalizer may record more events while this makes tables, and so move the ring. */
int trace_events(lua_State *L) {
  const trace *t = loop_trace(task_loop(L));
  lua_Integer wanted = luaL_optinteger(L, 1, 0), count = 0, lost = 0;
  luaL_argcheck(L, wanted >= 0, 1, "events are numbered from 0");
  uint64_t next = trace_next(t);
  lua_newtable(L);
  for (uint64_t number = (uint64_t)wanted; number < next; number++) {
    uint64_t first = trace_first(t) < next ? trace_first(t) : next;
    if (number < first) {
      lost += (lua_Integer)(first - number);
      number = first;
      if (number == next) break;
    }
    trace_push_event(L, t, trace_event(t, number));
    lua_rawseti(L, -2, ++count);
  }
  lua_pushinteger(L, lost);
  return 2;
}
