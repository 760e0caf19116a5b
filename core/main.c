/* The `lunet` program: a Lua 5.4 interpreter with the core linked in. It finds its own Lua library,
 * and runs an experiment that a script returns, or every experiment of a directory. It closes every
 * handle before it closes the Lua state. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
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

/* If a standard stream is closed, the next socket would get its number, and then the text that the
 * script prints. /dev/null, opened in the wrong direction, takes the number: using it fails, as
 * using a closed stream does. */
static void main_occupy_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* -- the state ------------------------------------------------------------------------------- */

static void main_preload_core(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_lunet_core);
  lua_setfield(L, -2, "lunet.core");
  lua_pop(L, 1);
}

/* Sets the global `arg`: the script's name at 0, its arguments above, the words before it below. */
static void main_set_arg(lua_State *L, const command_line *line) {
  int zero = command_line_has_script(line) ? line->script : 0;
  lua_createtable(L, line->count - zero, zero + 1);
  for (int i = 0; i < line->count; i++) {
    lua_pushstring(L, line->words[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

static void main_prepare_state(lua_State *L, const command_line *line) {
  luaL_checkversion(L);
  if (line->ignores_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* read by the package library */
  }
  luaL_openlibs(L);
  library_open(L);
  main_preload_core(L);
  main_set_arg(L, line);
  lua_gc(L, LUA_GCGEN, 0, 0); /* like the stock interpreter, since scripts may rely on it */
}

/* -- before the script ----------------------------------------------------------------------- */

/* Prints the message that chunk_call left. SIGPIPE stays silent: nobody wants to read why
 * `lunet FILE | head -1` ended. */
static int main_report(lua_State *L, int status) {
  if (status == STATUS_SIGNAL + SIGPIPE)
    lua_settop(L, 0);
  else if (status != STATUS_OK)
    chunk_report(L, "lunet: ");
  return status;
}

static int main_call(lua_State *L, int nargs, int nresults) {
  return main_report(L, chunk_call(L, nargs, nresults));
}

static int main_run_loaded(lua_State *L, int load_status) {
  if (load_status == LUA_OK) return main_call(L, 0, 0);
  chunk_report(L, "lunet: ");
  return STATUS_FAILED;
}

static int main_run_text(lua_State *L, const char *text, const char *name) {
  return main_run_loaded(L, luaL_loadbuffer(L, text, strlen(text), name));
}

static int main_run_environment(lua_State *L) {
  static const char *const names[] = {"=LUA_INIT_5_4", "=LUA_INIT"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i] + 1);
    if (value == NULL) continue;
    if (value[0] == '@') return main_run_loaded(L, luaL_loadfile(L, value + 1));
    return main_run_text(L, value, names[i]);
  }
  return STATUS_OK;
}

/* "name" or "global=name" */
static int main_require(lua_State *L, const char *wanted) {
  const char *equals = strchr(wanted, '=');
  size_t length = equals != NULL ? (size_t)(equals - wanted) : strlen(wanted);
  const char *global = lua_pushlstring(L, wanted, length);
  lua_getglobal(L, "require");
  lua_pushstring(L, equals != NULL ? equals + 1 : wanted);
  int status = main_call(L, 1, 1);
  if (status == STATUS_OK) lua_setglobal(L, global);
  lua_settop(L, 0);
  return status;
}

static int main_run_actions(lua_State *L, const command_line *line) {
  command_line_action action;
  int status = STATUS_OK;
  int at = 1;
  while (status == STATUS_OK && command_line_next_action(line, &at, &action)) {
    switch (action.letter) {
    case 'e': status = main_run_text(L, action.value, "=(command line)"); break;
    case 'l': status = main_require(L, action.value); break;
    default: lua_warning(L, "@on", 0); break;
    }
  }
  return status;
}

/* -- the script ------------------------------------------------------------------------------ */

/* Reads `arg` and not the command line, because -e and LUA_INIT may have changed `arg`. */
static int main_push_arguments(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + LUA_MINSTACK, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

/* Raw access: a metamethod of the script's value must not run unprotected. */
static int main_is_experiment(lua_State *L, int index) {
  if (!lua_istable(L, index)) return 0;
  lua_pushliteral(L, "kind");
  lua_rawget(L, index);
  const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  int same = strcmp(kind, "lunet.experiment") == 0;
  lua_pop(L, 1);
  return same;
}

/* (..., module) -> the exit status that the module's run(...) returns. Called protected. */
static int main_call_module(lua_State *L) {
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

/* Calls the module's run with the values on the stack, the script's name and its arguments. */
static int main_run_module(lua_State *L, const char *module, const command_line *line) {
  const char *file = command_line_script_file(line);
  lua_pushcfunction(L, main_call_module);
  lua_insert(L, 1);
  lua_pushstring(L, file != NULL ? file : "-");
  lua_newtable(L);
  for (int i = line->script + 1; i < line->count; i++) {
    lua_pushstring(L, line->words[i]);
    lua_rawseti(L, -2, i - line->script);
  }
  lua_pushstring(L, module);
  int status = main_call(L, lua_gettop(L) - 1, 1);
  if (status == STATUS_OK) return (int)lua_tointeger(L, -1);
  return status > STATUS_SIGNAL ? status : STATUS_NOT_RUN;
}

static bool main_is_directory(const char *file) {
  struct stat status;
  return file != NULL && stat(file, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Adds the known commands to the message on top, if the missing file's name could be a command. */
static void main_add_commands(lua_State *L, const char *word) {
  if (word == NULL || strpbrk(word, "./") != NULL || access(word, F_OK) == 0) return;
  command_push_names(L);
  lua_pushfstring(L, "%s, and there is no such command (known: %s)", lua_tostring(L, -2),
                  lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Makes the message on top one printable line. Without lunet's Lua library it stays as it is. */
static void main_make_printable(lua_State *L) {
  int message = lua_gettop(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lunet.text.width");
  bool is_shown = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1) &&
                  lua_getfield(L, -1, "shown") == LUA_TFUNCTION;
  lua_pushvalue(L, message);
  if (is_shown && lua_pcall(L, 1, 1, 0) == LUA_OK) lua_replace(L, message);
  lua_settop(L, message);
}

static bool main_is_record_option(const char *word) {
  return strcmp(word, "--json") == 0 || strcmp(word, "--tap") == 0 ||
         strncmp(word, "--trace", 7) == 0 || strncmp(word, "--junit", 7) == 0;
}

/* Whether the script's words ask for a record of its run. */
static bool main_wants_record(const command_line *line) {
  for (int i = line->script + 1; i < line->count; i++)
    if (main_is_record_option(line->words[i])) return true;
  return false;
}

/* Prints the message on the stack, and makes a record of it if the script's words ask for one. */
static int main_fail_script(lua_State *L, int status, const command_line *line) {
  if (main_wants_record(line)) return main_run_module(L, "lunet.command.unloaded", line);
  chunk_report(L, "lunet: ");
  return status;
}

/* Leaves only the complaint on the stack if the script, which has returned nothing, declares an
 * experiment that nobody ran. */
static bool main_push_unrun(lua_State *L, const char *file) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (file == NULL || lua_getfield(L, -1, "lunet.run.unrun") != LUA_TTABLE) return false;
  lua_getfield(L, -1, "complaint");
  lua_pushstring(L, file);
  lua_call(L, 1, 1);
  lua_insert(L, 1);
  lua_settop(L, 1);
  return lua_isstring(L, 1);
}

static int main_run_script(lua_State *L, const command_line *line) {
  const char *module = command_module(command_line_script_file(line));
  if (module != NULL) return main_run_module(L, module, line);
  if (main_is_directory(command_line_script_file(line)))
    return main_run_module(L, "lunet.command.directory", line);
  int loaded = luaL_loadfile(L, command_line_script_file(line));
  if (loaded != LUA_OK) {
    if (loaded == LUA_ERRFILE) {
      main_add_commands(L, command_line_script_file(line));
      main_make_printable(L); /* it contains the file's name */
    }
    return main_fail_script(L, loaded == LUA_ERRFILE ? STATUS_MISUSE : STATUS_FAILED, line);
  }
  int count = command_line_has_script(line) ? main_push_arguments(L) : 0;
  int status = chunk_call(L, count, 1);
  if (status == STATUS_FAILED) return main_fail_script(L, status, line);
  if (status != STATUS_OK) return main_report(L, status);
  if (main_is_experiment(L, 1)) return main_run_module(L, "lunet.command.file", line);
  if (lua_isnil(L, 1) && main_push_unrun(L, command_line_script_file(line)))
    return main_fail_script(L, STATUS_NOT_RUN, line);
  return STATUS_OK;
}

/* -- the whole run --------------------------------------------------------------------------- */

static int main_run_script_or_input(lua_State *L, const command_line *line) {
  if (command_line_has_script(line)) return main_run_script(L, line);
  if (line->interactive || line->has_statement || line->version) return STATUS_OK;
  if (!isatty(STDIN_FILENO)) return main_run_script(L, line);
  command_line_print_version();
  prompt_run(L);
  return STATUS_OK;
}

/* (light userdata: the command line) -> exit status */
static int main_run_protected(lua_State *L) {
  const command_line *line = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (line->version) command_line_print_version();
  main_prepare_state(L, line);
  int status = line->ignores_environment ? STATUS_OK : main_run_environment(L);
  if (status == STATUS_OK) status = main_run_actions(L, line);
  if (status == STATUS_OK) status = main_run_script_or_input(L, line);
  if (status == STATUS_OK && line->interactive) {
    lua_settop(L, 0);
    prompt_run(L);
  }
  lua_pushinteger(L, status);
  return 1;
}

static int main_run(lua_State *L, command_line *line) {
  lua_pushcfunction(L, main_run_protected);
  lua_pushlightuserdata(L, line);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return (int)lua_tointeger(L, -1);
  chunk_report(L, "lunet: ");
  return STATUS_FAILED;
}

/* Ends tasks and handles while the state is still whole, because a task's cleanup is Lua code. */
static int main_finish(lua_State *L, int status) {
  lua_settop(L, 0);
  lua_pushcfunction(L, runtime_finish);
  int finished = main_call(L, 0, 0);
  if (interrupt_ending() != 0)
    return STATUS_SIGNAL + interrupt_ending(); /* even if the script caught the error */
  if (status == STATUS_OK || finished > STATUS_SIGNAL) return finished;
  return status;
}

/* Text that the script printed may still be in the buffer, and may not fit on the disk. */
static int main_flush_output(int status) {
  errno = 0; /* fflush leaves it 0 if only an earlier write failed */
  bool is_whole = fflush(stdout) == 0 && !ferror(stdout);
  if (is_whole || status != STATUS_OK) return status;
  fprintf(stderr, "lunet: standard output: %s\n",
          errno != 0 ? strerror(errno) : "not everything could be written");
  return STATUS_NOT_RUN;
}

int main(int argc, char **argv) {
  command_line line;
  if (!command_line_read(&line, argc, argv)) return STATUS_MISUSE;
  main_occupy_streams();
  if (line.help) {
    command_line_print_usage(stdout);
    return main_flush_output(STATUS_OK);
  }
  interrupt_install();
  descriptors_raise(); /* scripts often hold a thousand connections; the usual limit is 1024 */
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    fputs("lunet: not enough memory for a Lua state\n", stderr);
    return STATUS_FAILED;
  }
  int status = main_finish(L, main_run(L, &line));
  lua_close(L);
  return main_flush_output(status);
}
