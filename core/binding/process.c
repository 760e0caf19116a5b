#include "binding/process.h"
#include "binding/memory.h"
#include "binding/misuse.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/program.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/process.h"
#include "platform/signal_name.h"

static const char PROCESS_TYPE[] = "lunet.process";

/* Key in the registry: a table from the connections of programs, weakly, to their processes. A
 * script that only reads from a program still needs the program to live. */
static const char PROGRAMS[] = "lunet.programs";

static const char *const stream_names[STREAMS] = {"stdin", "stdout", "stderr"};

static process *process_self(lua_State *L) { return box_check(L, 1, PROCESS_TYPE); }
static process *process_open_self(lua_State *L) { return box_check_open(L, PROCESS_TYPE); }

/* Pushes how a program has ended: its exit status, or the name of the signal that killed it. */
static int process_push_status(lua_State *L, int status) {
  char text[SIGNAL_TEXT];
  if (status >= 0)
    lua_pushinteger(L, status);
  else
    lua_pushstring(L, signal_name(-status, text));
  return 1;
}

/* -- exec ---------------------------------------------------------------------------------- */

/* Expects the process on top. Its connections are its fields, and keep it alive. */
static connection **process_push_stream(lua_State *L, int i) {
  lua_getiuservalue(L, -1, 1);
  connection **box = type_new_box(L, CONNECTION_TYPE, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, PROGRAMS);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -5);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_setfield(L, -2, stream_names[i]);
  lua_pop(L, 1);
  return box;
}

static process **process_push_box(lua_State *L) {
  process **box = type_new_box(L, PROCESS_TYPE, 1);
  lua_createtable(L, 0, STREAMS);
  lua_setiuservalue(L, -2, 1);
  return box;
}

static void process_close_streams(lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
  for (int i = 0; i < STREAMS; i++) {
    lua_getfield(L, -1, stream_names[i]);
    connection **box = type_test(L, -1, CONNECTION_TYPE);
    if (box != NULL && *box != NULL) handle_close(*box);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* The stack of an exec. Until the program has started, what keeps its description alive is in the
 * place of the process. */
enum { HOST = 1, PROGRAM, PROCESS };

static const char *process_push_attempt(lua_State *L, const process *p) {
  lua_rawgeti(L, PROGRAM, 1);
  const char *program = lua_tostring(L, -1);
  switch (process_failed_at(p)) {
  case GUARD_FAILED_DIRECTORY:
    lua_getfield(L, PROGRAM, "cwd");
    return lua_pushfstring(L, "exec %s: cwd %s", program, lua_tostring(L, -1));
  case GUARD_FAILED_DESCRIPTORS: return lua_pushfstring(L, "exec %s: fds", program);
  case GUARD_FAILED_LIMITS: return lua_pushfstring(L, "exec %s: limits", program);
  case GUARD_FAILED_NAMESPACES: return lua_pushfstring(L, "exec %s: a process namespace", program);
  default: return lua_pushfstring(L, "exec %s", program);
  }
}

static int process_push_started(lua_State *L, op *o) {
  process *p = box_check(L, PROCESS, PROCESS_TYPE);
  if (o->result >= 0) {
    anchor_add(L, PROCESS, p);
    lua_pushvalue(L, PROCESS);
    return 1;
  }
  handle_close(p);
  process_close_streams(L, PROCESS);
  return failure_push(L, o->result, process_push_attempt(L, p));
}

static int process_push_not_opened(lua_State *L, int result, const char *program) {
  if (result == -ENOENT)
    lua_pushfstring(L, "exec %s: %s beside or above the program lunet", program, GUARD_FILE);
  else
    lua_pushfstring(L, "exec %s", program);
  return failure_push(L, result, lua_tostring(L, -1));
}

int process_exec(lua_State *L) {
  struct program what;
  connection **near[STREAMS] = {NULL};
  lua_settop(L, PROGRAM);
  if (!lua_istable(L, PROGRAM))
    misuse(L, "a table like { \"redis-server\", \"--port\", \"7000\" } expected, not %s",
           luaL_typename(L, PROGRAM));
  field_copy_table(L, PROGRAM);
  program_read(L, PROGRAM, &what);
  process **box = process_push_box(L);
  for (int i = 0; i < STREAMS; i++)
    if (stream_is_connected(what.streams[i])) near[i] = process_push_stream(L, i);
  fflush(NULL); /* what the script has printed comes before what the program prints */
  task_check(L);
  const host *h = host_or_home(L, HOST);
  struct place where = host_place(L, h, what.name);
  int result = program_take_descriptors(L, PROGRAM, &what);
  if (result == 0) result = process_open(task_loop(L), &where, h, &what, near, box);
  if (result < 0) {
    process_close_streams(L, -1);
    return process_push_not_opened(L, result, what.words[0]);
  }
  op *o = task_start(L, DEADLINE_NEVER);
  lua_replace(L, PROCESS); /* drops the program's description */
  process_start(*box, o);
  return task_wait(L, o, process_push_started);
}

/* -- methods ------------------------------------------------------------------------------- */

static int process_push_number(lua_State *L) {
  process *p = process_open_self(L);
  if (p == NULL) return 3;
  lua_pushinteger(L, process_number(p));
  return 1;
}

enum { ONLY_NONE = 0, ONLY_LEADER = -1 }; /* else a process number */

/* The options { only = "leader" | pid } at `index`, which may be missing. */
static pid_t process_read_only(lua_State *L, int index) {
  static const char *const names[] = {"only", NULL};
  if (lua_isnoneornil(L, index)) return ONLY_NONE;
  luaL_checktype(L, index, LUA_TTABLE);
  field_copy_table(L, index);
  field_check_names(L, index, "option", names, 0);
  int is_integer, type = lua_getfield(L, index, "only");
  lua_Integer number = lua_tointegerx(L, -1, &is_integer);
  pid_t only = type == LUA_TNIL ? ONLY_NONE : ONLY_LEADER;
  if (type == LUA_TNUMBER && is_integer && number > 0 && number <= INT_MAX)
    only = (pid_t)number;
  else if (type != LUA_TNIL && (type != LUA_TSTRING || strcmp(lua_tostring(L, -1), "leader") != 0))
    misuse(L, "only: \"leader\" or a process number expected, not %s", field_push_shown(L));
  lua_pop(L, 1);
  return only;
}

/* `others` sends to all processes that are meant if the options, at `index`, name none. */
static int process_send_signal(lua_State *L, int signal, int index, const char *what,
                               int (*others)(process *p, int signal)) {
  process_self(L);
  pid_t only = process_read_only(L, index);
  process *p = process_open_self(L);
  if (p == NULL) return 3;
  if (only == ONLY_LEADER) only = process_number(p);
  int result = only == ONLY_NONE ? others(p, signal) : process_signal_one(p, only, signal);
  return failure_push_result(L, result, what);
}

static int process_freeze(lua_State *L) {
  return process_send_signal(L, SIGSTOP, 2, "freeze", process_signal_all);
}

static int process_thaw(lua_State *L) {
  return process_send_signal(L, SIGCONT, 2, "thaw", process_signal_all);
}

static void process_push_entry(lua_State *L, const struct process_entry *e) {
  lua_createtable(L, 0, 4);
  field_set_integer(L, "pid", e->number);
  field_set_integer(L, "parent", e->parent);
  field_set_string(L, "name", e->name);
  lua_pushlstring(L, &e->state, 1);
  lua_setfield(L, -2, "state");
}

/* Sums up the usage of the program and its descendants. */
static int process_push_usage(lua_State *L) {
  struct process_tree found;
  uint64_t resident = 0;
  process *p = process_open_self(L);
  if (p == NULL) return 3;
  int result = process_tree(p, &found);
  if (result < 0) return failure_push(L, result, "usage");
  for (size_t i = 0; i < found.count; i++) resident += found.entries[i].resident;
  process_tree_free(&found);
  lua_createtable(L, 0, 4);
  field_set_number(L, "user", (lua_Number)found.user / (lua_Number)sysconf(_SC_CLK_TCK));
  field_set_number(L, "system", (lua_Number)found.system / (lua_Number)sysconf(_SC_CLK_TCK));
  field_set_integer(L, "resident", (lua_Integer)resident * sysconf(_SC_PAGESIZE));
  field_set_integer(L, "processes", (lua_Integer)found.count);
  return 1;
}

static int process_push_tree(lua_State *L) {
  struct process_tree found;
  process_self(L);
  void **memory = memory_new(L);
  process *p = process_open_self(L);
  if (p == NULL) return 3;
  int result = process_tree(p, &found);
  if (result < 0) return failure_push(L, result, "tree");
  *memory = found.entries;
  lua_createtable(L, (int)found.count, 0);
  for (size_t i = 0; i < found.count; i++) {
    process_push_entry(L, &found.entries[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  memory_free(memory);
  return 1;
}

/* "SIGKILL", or its number. */
static int process_signal_argument(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    lua_Integer given = luaL_checkinteger(L, index);
    luaL_argcheck(L, given >= 1 && given <= signal_last(), index,
                  "a signal's name, or its number from 1 on, expected");
    return (int)given;
  }
  const char *name = luaL_optstring(L, index, "SIGTERM");
  int signal = signal_number(name);
  if (signal == 0)
    misuse(L, "there is no signal \"%s\" (names are like \"SIGTERM\", signal(7))", name);
  return signal;
}

static int process_send_kill(lua_State *L) {
  process_self(L);
  return process_send_signal(L, process_signal_argument(L, 2), 3, "kill", process_signal);
}

static int process_push_ended(lua_State *L, op *o) {
  int status;
  if (o->result < 0) return failure_push(L, o->result, "wait");
  process_ended(process_self(L), &status);
  return process_push_status(L, status);
}

static int process_wait_for_end(lua_State *L) {
  process *p = process_self(L);
  uint64_t deadline_ns = timeout_argument(L, 2);
  op *o = task_begin(L, deadline_ns);
  if (box_has(p, o)) process_wait(p, o);
  return task_wait(L, o, process_push_ended);
}

static int process_close(lua_State *L) {
  process *p = process_self(L);
  if (p != NULL) handle_close(p);
  process_close_streams(L, 1);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {
  {"pid", process_push_number},   {"freeze", process_freeze},    {"thaw", process_thaw},
  {"tree", process_push_tree},    {"usage", process_push_usage}, {"kill", process_send_kill},
  {"wait", process_wait_for_end}, {"close", process_close},      {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__close", process_close}, {NULL, NULL}};

/* Finds a method, in the upvalue, or a stream such as process.stdout. */
static int process_index(lua_State *L) {
  type_check(L, 1, PROCESS_TYPE);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

static void process_open_programs(lua_State *L) {
  if (!luaL_getsubtable(L, LUA_REGISTRYINDEX, PROGRAMS)) {
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  lua_pop(L, 1);
}

void process_open_type(lua_State *L) {
  bool is_new = box_open_type(L, PROCESS_TYPE, methods, metamethods);
  process_open_programs(L);
  if (!is_new) return;
  luaL_getmetatable(L, PROCESS_TYPE);
  lua_getfield(L, -1, "__index");
  lua_pushcclosure(L, process_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
