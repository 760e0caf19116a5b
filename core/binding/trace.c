#include "binding/trace.h"

#include <lauxlib.h>

#include "binding/address.h"
#include "binding/capture.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/process.h"
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

static void trace_set_end(lua_State *L, const char *whole, const char *port,
                          const struct trace_end *e) {
  address end;
  if (e->port == 0) return;
  trace_end_get(e, &end);
  end = address_plain(&end); /* the form that segments and the other end have */
  address_set_fields(L, whole, port, &end);
}

static const char *const streams[] = {NULL, "stdin", "stdout", "stderr"};

static void trace_set_loss(lua_State *L, const struct event *e) {
  field_set_string(L, "cause", loss_names[e->code]);
  trace_set_end(L, "local_address", "local_port", &e->socket.local);
  trace_set_end(L, "peer_address", "peer_port", &e->socket.peer);
  field_set_integer(L, "bytes", e->bytes);
  if (e->flags == 0) return;
  field_set_integer(L, "sequence", e->sequence);
  field_set_integer(L, "acknowledgement", e->acknowledgement);
  capture_set_flags(L, e->flags);
}

/* Replaces the text on top of the stack by the event's table. */
static void trace_push_event(lua_State *L, const trace *t, const struct event *e) {
  lua_createtable(L, 0, 8);
  lua_insert(L, -2);
  lua_setfield(L, -2, "text");
  field_set_number(L, "at", (lua_Number)e->at_ns / 1e9);
  if (e->since_ns != 0) field_set_number(L, "since", (lua_Number)e->since_ns / 1e9);
  field_set_string(L, "kind", event_names[e->kind]);
  if (e->kind == EVENT_NOTE) return;
  field_set_integer(L, "host", e->socket.host);
  field_set_string(L, "label", trace_label_text(t, e->socket.label));
  if (e->kind == EVENT_COUNTERS || e->kind == EVENT_SOCKETS) {
    if (e->code < 0) field_set_string(L, "code", failure_name(e->code));
    return;
  }
  if (e->kind == EVENT_LOSS) {
    trace_set_loss(L, e);
    return;
  }
  field_set_integer(L, "socket", e->socket.id);
  if (e->socket.stream != 0) field_set_string(L, "stream", streams[e->socket.stream]);
  trace_set_end(L, "local_address", "local_port", &e->socket.local);
  trace_set_end(L, "peer_address", "peer_port", &e->socket.peer);
  if (e->kind == EVENT_FOUND || e->kind == EVENT_GONE) return;
  if (e->kind == EVENT_DROP_END) field_set_integer(L, "segments", e->bytes);
  if (e->kind == EVENT_DROP || e->kind == EVENT_DROP_END) return;
  if (e->kind == EVENT_QUEUE) {
    field_set_integer(L, "depth", e->bytes);
    field_set_integer(L, "limit", e->code);
    if (e->drops > 0) field_set_integer(L, "drops", e->drops);
    return;
  }
  if (e->kind == EVENT_EXIT || e->kind == EVENT_SIGNAL) {
    process_push_status(L, (int)(e->kind == EVENT_EXIT ? e->bytes : -e->bytes));
    lua_setfield(L, -2, e->kind == EVENT_EXIT ? "status" : "signal");
  }
  if (e->kind == EVENT_SIGNAL && e->code > 0) field_set_integer(L, "only", e->code);
  if (e->kind == EVENT_SHUTDOWN) field_set_string(L, "how", connection_hows[e->bytes]);
  field_set_integer(L, "bytes", e->kind == EVENT_SHUTDOWN ? 0 : e->bytes);
  if (e->code < 0) field_set_string(L, "code", failure_name(e->code));
}

/* Pushes nil if the event has no text. A note may contain zero bytes; if there was no memory for
 * its text, it is "". */
static void trace_push_text(lua_State *L, const struct event *e) {
  if (e->kind == EVENT_NOTE)
    lua_pushlstring(L, e->text == NULL ? "" : e->text, (size_t)e->bytes);
  else
    lua_pushstring(L, e->text);
}

/* A finalizer may record more events while this makes tables, and so move the ring: copies each
 * event before it allocates. */
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
    struct event e = *trace_event(t, number);
    trace_push_text(L, &e);
    trace_push_event(L, t, &e);
    lua_rawseti(L, -2, ++count);
  }
  lua_pushinteger(L, lost);
  return 2;
}
