#include "binding/core.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "binding/capture.h"
#include "binding/connect.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/file.h"
#include "binding/host.h"
#include "binding/idlers.h"
#include "binding/interrupt.h"
#include "binding/journal.h"
#include "binding/listener.h"
#include "binding/memory.h"
#include "binding/misuse.h"
#include "binding/neighbours.h"
#include "binding/output.h"
#include "binding/process.h"
#include "binding/program.h"
#include "binding/queue_watch.h"
#include "binding/rule.h"
#include "binding/sockets.h"
#include "binding/survey.h"
#include "binding/task.h"
#include "binding/trace.h"
#include "binding/tracked.h"
#include "binding/wire.h"
#include "handle/scope.h"
#include "platform/link.h"

enum { DESCRIPTION = 512 };

/* Writes a text for each open handle, each followed by a zero byte. The caller frees the memory. */
static int core_describe_all(loop *lp, char **texts, size_t *length) {
  list *open = &loop_scopes(lp)->open;
  char text[DESCRIPTION];
  FILE *out = open_memstream(texts, length);
  if (out == NULL) return -ENOMEM;
  for (list *s = open->next; s != open; s = s->next) {
    list *handles = &LIST_ENTRY(s, scope, in_scopes)->handles;
    for (list *l = handles->next; l != handles; l = l->next) {
      const handle *h = LIST_ENTRY(l, handle, in_scope);
      h->type->describe(h, text, sizeof text);
      fprintf(out, "%s %s%c", h->type->name, text, '\0');
    }
  }
  return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* lunet.open_handles() -> a list of texts. Describes every handle before it pushes the first text:
 * while Lua makes a string, a finalizer may close any handle. */
static int core_open_handles(lua_State *L) {
  char *texts = NULL;
  size_t length = 0;
  lua_Integer count = 0;
  void **memory = memory_new(L);
  int result = core_describe_all(task_loop(L), &texts, &length);
  *memory = texts;
  if (result < 0) return luaL_error(L, "open_handles: not enough memory");
  lua_newtable(L);
  for (const char *text = texts; text < texts + length; text += strlen(text) + 1) {
    lua_pushstring(L, text);
    lua_rawseti(L, -2, ++count);
  }
  memory_free(memory);
  return 1;
}

/* Closes every open handle, for a helper of specs: a spec that was given up may have left some. */
static int core_close_handles(lua_State *L) {
  scopes_close_handles(loop_scopes(task_loop(L)));
  return 0;
}

/* lunet.traceback(error) -> the error as a text, with the tracebacks of the tasks it passed. */
static int core_traceback(lua_State *L) {
  luaL_checkany(L, 1);
  return failure_traceback(L);
}

static int core_describe_versions(lua_State *L) {
  lua_pushliteral(L, LUNET_VERSION);
  lua_pushstring(L, uv_version_string());
  return 2;
}

static const luaL_Reg functions[] = {{"listen", listener_listen},
                                     {"connect", connect_to},
                                     {"exec", process_exec},
                                     {"spawn", task_spawn},
                                     {"scope", nursery_scope},
                                     {"now", timeout_now},
                                     {"wall_now", timeout_wall_now},
                                     {"sleep", timeout_sleep},
                                     {"rest", timeout_rest},
                                     {"let_sleep", timeout_let_sleep},
                                     {"note", trace_note_text},
                                     {"open_handles", core_open_handles},
                                     {"close_handles", core_close_handles},
                                     {"record", trace_start},
                                     {"events", trace_events},
                                     {"journal", journal_new},
                                     {"traceback", core_traceback},
                                     {"versions", core_describe_versions},
                                     {"divert_output", output_divert},
                                     {"restore_output", output_restore},
                                     {"is_terminal", output_is_terminal},
                                     {"character_width", output_character_width},
                                     {"sockets", sockets_list},
                                     {"destroy", sockets_destroy},
                                     {"survey", survey_push},
                                     {"socket_owners", survey_push_owners},
                                     {"tracked", tracked_push},
                                     {"neighbours_refused", neighbours_push_refused},
                                     {"watch", queue_watch_begin},
                                     {"idlers", idlers_new},
                                     {"host", host_new},
                                     {"is_host", host_is_host},
                                     {"host_number", host_number_of},
                                     {"is_listener", listener_is_listener},
                                     {"link", host_link},
                                     {"bridge", host_bridge},
                                     {"attach", host_attach},
                                     {"unlink", host_unlink},
                                     {"set_mtu", host_set_mtu},
                                     {"wire", wire_new},
                                     {"new_seed", wire_new_seed},
                                     {"add_route", host_add_route},
                                     {"add_addresses", host_add_addresses},
                                     {"link_is_up", host_link_is_up},
                                     {"is_address", host_is_address},
                                     {"is_within", host_is_within},
                                     {"answers_for", host_answers_for},
                                     {"read_file", host_read_file},
                                     {"write_file", host_write_file},
                                     {"read_files", host_read_files},
                                     {"write_files", host_write_files},
                                     {"queue_limit", host_queue_limit},
                                     {"set_home", host_set_home},
                                     {"stay_home", host_stay},
                                     {"can_replace_file", file_can_replace},
                                     {"replace_file", file_replace},
                                     {"remove_file", file_remove},
                                     {"file_identity", file_identity},
                                     {"lock_file", file_lock},
                                     {"set_environment", program_set_environment},
                                     {"open_scratch", file_open_scratch},
                                     {"close_scratch", file_close_scratch},
                                     {"make_directory", file_make_directory},
                                     {"refused", host_refused},
                                     {"drop", rule_drop},
                                     {"takes_rules", rule_takes},
                                     {"capture", capture_new},
                                     {"expect_no_shortage", failure_expect_none},
                                     {"shortage", failure_shortage},
                                     {"times_continued", interrupt_times_continued},
                                     {"misuse", misuse_raise},
                                     {"check_self", misuse_check_self},
                                     {"set_library", misuse_set_library},
                                     {NULL, NULL}};

/* Sets a field to the table of a type's methods, so that the Lua library can add its own. */
static void core_set_methods(lua_State *L, const char *field, const char *type) {
  luaL_getmetatable(L, type);
  lua_getfield(L, -1, "__index");
  lua_setfield(L, -3, field);
  lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_lunet_core(lua_State *L) {
  runtime_push(L);
  task_open_type(L);
  listener_open_type(L);
  connection_open_type(L);
  host_open_type(L);
  wire_open_type(L);
  idlers_open_type(L);
  journal_open_type(L);
  queue_watch_open_type(L);
  rule_open_type(L);
  capture_open_type(L);
  process_open_type(L);
  memory_open_type(L);
  luaL_newlibtable(L, functions);
  lua_rotate(L, -2, 1);
  luaL_setfuncs(L, functions, 1);
  lua_pushinteger(L, LINK_LOST);
  lua_setfield(L, -2, "lost_mark");
  core_set_methods(L, "task", TASK_TYPE);
  core_set_methods(L, "listener", LISTENER_TYPE);
  core_set_methods(L, "connection", CONNECTION_TYPE);
  core_set_methods(L, "host_methods", HOST_TYPE);
  core_set_methods(L, "capture_methods", CAPTURE_TYPE);
  return 1;
}
