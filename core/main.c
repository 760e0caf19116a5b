/* The `lunet` program: a Lua 5.4 interpreter that has the core linked in, finds its own library,
 * runs a script that returns an experiment, or all those of a directory, and closes every handle
 * before the state. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binding/core.h"
#include "binding/interrupt.h"
#include "binding/task.h"
#include "chunk.h"
#include "command.h"
#include "command_line.h"
#include "library.h"
#include "platform/descriptors.h"
#include "prompt.h"

/* A stream that is closed gives its number to the next socket, and that what is printed. What is
 * opened here in its place fails when it is used, as a closed one does. */
static void standard_streams_occupy(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* ---- the state ---- */

static void core_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_lunet_core);
  lua_setfield(L, -2, "lunet.core");
  lua_pop(L, 1);
}

/* The global `arg`: the script's name at 0, its arguments above, all that came before it below. */
static void arguments_publish(lua_State *L, const command_line *line) {
  int zero = command_line_has_script(line) ? line->script : 0;
  lua_createtable(L, line->count - zero, zero + 1);
  for (int i = 0; i < line->count; i++) {
    lua_pushstring(L, line->words[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

static void state_prepare(lua_State *L, const command_line *line) {
  luaL_checkversion(L);
  if (line->ignores_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* read by the package library */
  }
  luaL_openlibs(L);
  library_open(L);
  core_preload(L);
  arguments_publish(L, line);
  lua_gc(L, LUA_GCGEN, 0, 0); /* as the stock interpreter, whose scripts may rely on it */
}

/* ---- what comes before the script ---- */

/* Like chunk_call; whatever went wrong has been said. Nobody reads why `lunet FILE | head -1`
 * ended.
 */
static int call_and_report(lua_State *L, int nargs, int nresults) {
  int status = chunk_call(L, nargs, nresults);
  if (status == STATUS_SIGNAL + SIGPIPE)
    lua_settop(L, 0);
  else if (status != STATUS_OK)
    chunk_report(L);
  return status;
}

static int loaded_run(lua_State *L, int load_status) {
  if (load_status == LUA_OK) return call_and_report(L, 0, 0);
  chunk_report(L);
  return STATUS_FAILED;
}

static int text_run(lua_State *L, const char *text, const char *name) {
  return loaded_run(L, luaL_loadbuffer(L, text, strlen(text), name));
}

static int environment_run(lua_State *L) {
  static const char *const names[] = {"=LUA_INIT_5_4", "=LUA_INIT"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i] + 1);
    if (value == NULL) continue;
    if (value[0] == '@') return loaded_run(L, luaL_loadfile(L, value + 1));
    return text_run(L, value, names[i]);
  }
  return STATUS_OK;
}

/* "name" or "global=name" */
static int library_require(lua_State *L, const char *wanted) {
  const char *equals = strchr(wanted, '=');
  size_t length = equals != NULL ? (size_t)(equals - wanted) : strlen(wanted);
  const char *global = lua_pushlstring(L, wanted, length);
  lua_getglobal(L, "require");
  lua_pushstring(L, equals != NULL ? equals + 1 : wanted);
  int status = call_and_report(L, 1, 1);
  if (status == STATUS_OK) lua_setglobal(L, global);
  lua_settop(L, 0);
  return status;
}

static int actions_run(lua_State *L, const command_line *line) {
  command_line_action action;
  int status = STATUS_OK;
  int at = 1;
  while (status == STATUS_OK && command_line_next_action(line, &at, &action)) {
    switch (action.letter) {
    case 'e': status = text_run(L, action.value, "=(command line)"); break;
    case 'l': status = library_require(L, action.value); break;
    default: lua_warning(L, "@on", 0); break;
    }
  }
  return status;
}

/* ---- the script ---- */

/* From `arg`, not from the command line: -e and LUA_INIT may have changed it. */
static int arguments_push(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + LUA_MINSTACK, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

/* Raw access: whatever the script returned, asking must not run its code unprotected. */
static int is_experiment(lua_State *L, int index) {
  if (!lua_istable(L, index)) return 0;
  lua_pushliteral(L, "kind");
  lua_rawget(L, index);
  const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  int same = strcmp(kind, "lunet.experiment") == 0;
  lua_pop(L, 1);
  return same;
}

/* (..., module) -> exit status, from the module's run(...); protected, like the script itself. */
static int module_main(lua_State *L) {
  lua_getglobal(L, "require");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "run");
  lua_replace(L, -2);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  if (!lua_isinteger(L, -1)) luaL_error(L, "run returned no exit status");
  return 1;
}

/* Calls the module's run with what is on the stack, the script's name and its arguments. */
static int module_run(lua_State *L, const char *module, const command_line *line) {
  const char *file = command_line_script_file(line);
  lua_pushcfunction(L, module_main);
  lua_insert(L, 1);
  lua_pushstring(L, file != NULL ? file : "-");
  lua_newtable(L);
  for (int i = line->script + 1; i < line->count; i++) {
    lua_pushstring(L, line->words[i]);
    lua_rawseti(L, -2, i - line->script);
  }
  lua_pushstring(L, module);
  int status = call_and_report(L, lua_gettop(L) - 1, 1);
  if (status == STATUS_OK) return (int)lua_tointeger(L, -1);
  return status > STATUS_SIGNAL ? status : STATUS_NOT_RUN;
}

static bool is_directory(const char *file) {
  struct stat status;
  return file != NULL && stat(file, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Adds the commands to the message on top if the missing file may be meant for one. */
static void message_add_commands(lua_State *L, const char *word) {
  if (word == NULL || strpbrk(word, "./") != NULL || access(word, F_OK) == 0) return;
  command_push_names(L);
  lua_pushfstring(L, "%s, and there is no such command (known: %s)", lua_tostring(L, -2),
                  lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Makes the message on top one line that a terminal can show, if the library can be had. */
static void message_show(lua_State *L) {
  int message = lua_gettop(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lunet.text.width");
  bool is_shown = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1) &&
                  lua_getfield(L, -1, "shown") == LUA_TFUNCTION;
  lua_pushvalue(L, message);
  if (is_shown && lua_pcall(L, 1, 1, 0) == LUA_OK) lua_replace(L, message);
  lua_settop(L, message);
}

static int script_run(lua_State *L, const command_line *line) {
  const char *module = command_module(command_line_script_file(line));
  if (module != NULL) return module_run(L, module, line);
  if (is_directory(command_line_script_file(line)))
    return module_run(L, "lunet.command.directory", line);
  int loaded = luaL_loadfile(L, command_line_script_file(line));
  if (loaded != LUA_OK) {
    if (loaded == LUA_ERRFILE) {
      message_add_commands(L, command_line_script_file(line));
      message_show(L); /* it has the name of the file */
    }
    chunk_report(L);
    return loaded == LUA_ERRFILE ? STATUS_MISUSE : STATUS_FAILED;
  }
  int count = command_line_has_script(line) ? arguments_push(L) : 0;
  int status = call_and_report(L, count, 1);
  if (status == STATUS_OK && is_experiment(L, 1)) return module_run(L, "lunet.command.file", line);
  return status;
}

/* ---- the order of things ---- */

static int script_or_input_run(lua_State *L, const command_line *line) {
  if (command_line_has_script(line)) return script_run(L, line);
  if (line->interactive || line->has_statement || line->version) return STATUS_OK;
  if (!isatty(STDIN_FILENO)) return script_run(L, line);
  command_line_print_version();
  prompt_run(L);
  return STATUS_OK;
}

/* (light userdata: the command line) -> exit status */
static int program_main(lua_State *L) {
  const command_line *line = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (line->version) command_line_print_version();
  state_prepare(L, line);
  int status = line->ignores_environment ? STATUS_OK : environment_run(L);
  if (status == STATUS_OK) status = actions_run(L, line);
  if (status == STATUS_OK) status = script_or_input_run(L, line);
  if (status == STATUS_OK && line->interactive) {
    lua_settop(L, 0);
    prompt_run(L);
  }
  lua_pushinteger(L, status);
  return 1;
}

static int program_run(lua_State *L, command_line *line) {
  lua_pushcfunction(L, program_main);
  lua_pushlightuserdata(L, line);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return (int)lua_tointeger(L, -1);
  chunk_report(L);
  return STATUS_FAILED;
}

/* Tasks and handles end here, while the state is still whole: a task's cleanup is Lua code. */
static int program_finish(lua_State *L, int status) {
  lua_settop(L, 0);
  lua_pushcfunction(L, runtime_finish);
  int finished = call_and_report(L, 0, 0);
  if (interrupt_ending() != 0)
    return STATUS_SIGNAL + interrupt_ending(); /* also if it was caught */
  if (status == STATUS_OK || finished > STATUS_SIGNAL) return finished;
  return status;
}

/* What the script printed may still be in the buffer, and not fit on the disk. */
static int output_finish(int status) {
  errno = 0; /* stays so if an earlier write failed */
  bool is_whole = fflush(stdout) == 0 && !ferror(stdout);
  if (is_whole || status != STATUS_OK) return status;
  fprintf(stderr, "lunet: standard output: %s\n",
          errno != 0 ? strerror(errno) : "not everything could be written");
  return STATUS_NOT_RUN;
}

int main(int argc, char **argv) {
  command_line line;
  if (!command_line_read(&line, argc, argv)) return STATUS_MISUSE;
  standard_streams_occupy();
  if (line.help) {
    command_line_print_usage();
    return output_finish(STATUS_OK);
  }
  interrupt_install();
  descriptors_raise(); /* a thousand connections are ordinary here, and the usual limit is 1024 */
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    fputs("lunet: not enough memory for a Lua state\n", stderr);
    return STATUS_FAILED;
  }
  int status = program_finish(L, program_run(L, &line));
  lua_close(L);
  return output_finish(status);
}
