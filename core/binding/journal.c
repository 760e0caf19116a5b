#include "binding/journal.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>

#include "binding/box.h"
#include "binding/capture.h"
#include "binding/event.h"
#include "binding/failure.h"
#include "binding/task.h"
#include "binding/trace.h"
#include "binding/type.h"
#include "handle/capture.h"
#include "handle/journal.h"
#include "handle/op.h"

static const char JOURNAL_TYPE[] = "lunet.journal";

/* The run goes on without its journal, so no failure of one counts as a shortage. */
int journal_new(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_Integer first = luaL_checkinteger(L, 2);
  lua_Number began = luaL_checknumber(L, 3);
  luaL_argcheck(L, first >= 0, 2, "events are numbered from 0");
  luaL_argcheck(L, began >= 0 && began < 1e9, 3, "seconds of the monotonic clock expected");
  trace *t = loop_trace(task_loop(L));
  journal **box = type_new_box(L, JOURNAL_TYPE, 0);
  int result =
    journal_open(t, path, (uint64_t)first, (uint64_t)llround(began * 1e9), event_describe, box);
  return result < 0 ? failure_push_refusal(L, result, path) : 1;
}

/* NULL: it is closed, and the failure is pushed. */
static journal *journal_self(lua_State *L) {
  journal *j = *(journal **)type_check(L, 1, JOURNAL_TYPE);
  if (j == NULL) failure_push(L, OP_CLOSED, "journal");
  return j;
}

/* Pushes the next look as a table. */
static bool journal_push_look(lua_State *L) {
  journal *j = *(journal **)type_check(L, 1, JOURNAL_TYPE);
  const struct event *look = j == NULL ? NULL : journal_look(j);
  if (look == NULL) return false;
  trace_push_event(L, loop_trace(task_loop(L)), look);
  return true;
}

static void journal_pop_look(lua_State *L) {
  journal *j = *(journal **)type_check(L, 1, JOURNAL_TYPE);
  if (j != NULL) journal_forget_look(j);
}

/* A finalizer may record more looks while this makes tables, or close the journal. */
static int journal_write_events(lua_State *L) {
  journal *j = journal_self(L);
  lua_Integer count = 0;
  if (j == NULL) return 3;
  int result = journal_write(j);
  if (result < 0) return failure_push_refusal(L, result, "write(2)");
  lua_newtable(L);
  while (journal_push_look(L)) {
    journal_pop_look(L);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int journal_write_words(lua_State *L) {
  size_t length;
  journal *j = journal_self(L);
  const char *text = luaL_checklstring(L, 2, &length);
  if (j == NULL) return 3;
  int result = journal_write_text(j, text, length);
  if (result < 0) return failure_push_refusal(L, result, "write(2)");
  lua_pushboolean(L, 1);
  return 1;
}

static void journal_write_segment(journal *j, const capture *c, const struct segment *s) {
  struct event_fields *to = journal_begin_line(j);
  to->set_time(to, "at", s->at_ns);
  event_set_text(to, "kind", "tap");
  to->set_integer(to, "host", ((const handle *)c)->host);
  capture_describe(s, to);
  journal_end_line(j);
}

/* A closed capture keeps its segments. */
static int journal_write_segments(lua_State *L) {
  journal *j = journal_self(L);
  capture *c = box_check(L, 2, CAPTURE_TYPE);
  lua_Integer first = luaL_checkinteger(L, 3);
  luaL_argcheck(L, c != NULL && first >= 0, 3, "segments are numbered from 0");
  if (j == NULL) return 3;
  int result = capture_read(c);
  if (result < 0) return failure_push_refusal(L, result, "segments");
  uint64_t wanted = (uint64_t)first, kept = capture_first(c), next = capture_next(c);
  for (uint64_t i = wanted > kept ? wanted : kept; i < next; i++)
    journal_write_segment(j, c, capture_segment(c, i));
  lua_pushinteger(L, (lua_Integer)next);
  lua_pushboolean(L, wanted < kept);
  return 2;
}

static int journal_count_lost(lua_State *L) {
  journal *j = journal_self(L);
  if (j == NULL) return 3;
  lua_pushinteger(L, (lua_Integer)journal_lost(j));
  return 1;
}

static int journal_clear(lua_State *L) {
  journal *j = journal_self(L);
  if (j == NULL) return 3;
  return failure_push_result(L, journal_empty(j), "ftruncate(2)");
}

static int journal_check_path(lua_State *L) {
  journal *j = journal_self(L);
  const char *path = luaL_checkstring(L, 2);
  if (j == NULL) return 3;
  if (journal_check(j, path) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "%s: it was moved, removed or replaced during the run", path);
  lua_pushliteral(L, "ESTALE");
  return 3;
}

static int journal_end(lua_State *L) {
  journal **box = type_check(L, 1, JOURNAL_TYPE);
  if (*box != NULL) journal_close(*box);
  *box = NULL;
  return 0;
}

static const luaL_Reg methods[] = {{"write", journal_write_events},
                                   {"write_text", journal_write_words},
                                   {"write_segments", journal_write_segments},
                                   {"lost", journal_count_lost},
                                   {"check", journal_check_path},
                                   {"empty", journal_clear},
                                   {"close", journal_end},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {
  {"__close", journal_end}, {"__gc", journal_end}, {NULL, NULL}};

void journal_open_type(lua_State *L) { type_open(L, JOURNAL_TYPE, methods, metamethods); }
