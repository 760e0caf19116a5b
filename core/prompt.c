#include "prompt.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binding/interrupt.h"
#include "chunk.h"

/* Readline's two functions. NULL: standard input is not a terminal, or readline is not installed.
 */
typedef struct line_editor {
  char *(*read)(const char *prompt);
  void (*remember)(const char *line);
} line_editor;

/* Opens readline only for a prompt, because it would slow down the start of every script. Never
 * closes it, because readline leaves its own signal and terminal state behind. */
static line_editor prompt_editor_open(void) {
  line_editor editor = {NULL, NULL};
  void *library = isatty(STDIN_FILENO) ? dlopen("libreadline.so.8", RTLD_NOW) : NULL;
  if (library == NULL) return editor;
  *(void **)&editor.read = dlsym(library, "readline");
  *(void **)&editor.remember = dlsym(library, "add_history");
  const char **program_name = dlsym(library, "rl_readline_name"); /* for `$if` in .inputrc */
  if (program_name != NULL) *program_name = "lunet";
  if (editor.remember == NULL) editor.read = NULL;
  return editor;
}

/* Returns a line without its newline, which the caller frees; NULL at the end of the input. */
static char *prompt_line_read(const line_editor *editor, const char *prompt) {
  if (editor->read != NULL) return editor->read(prompt);
  fputs(prompt, stdout);
  fflush(stdout);
  char *line = NULL;
  size_t size = 0;
  ssize_t length = getline(&line, &size, stdin);
  if (length < 0) {
    free(line);
    return NULL;
  }
  if (length > 0 && line[length - 1] == '\n') line[length - 1] = '\0';
  return line;
}

static const char *prompt_push(lua_State *L, bool first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
    return lua_pushstring(L, first ? "> " : ">> ");
  return luaL_tolstring(L, -1, NULL);
}

/* Pushes the next line. False: the input has ended, and nothing is pushed. */
static bool prompt_line_push(lua_State *L, const line_editor *editor, bool first) {
  int top = lua_gettop(L);
  char *line = prompt_line_read(editor, prompt_push(L, first));
  lua_settop(L, top);
  if (line == NULL) return false;
  if (first && line[0] == '=') /* how Lua before 5.3 printed a value */
    lua_pushfstring(L, "return %s", line + 1);
  else
    lua_pushstring(L, line);
  free(line);
  return true;
}

/* Compiles `return <line>`. False: it does not compile, and nothing is pushed. */
static bool prompt_expression_compile(lua_State *L) {
  const char *text = lua_pushfstring(L, "return %s", lua_tostring(L, -1));
  bool compiled = luaL_loadbuffer(L, text, strlen(text), "=stdin") == LUA_OK;
  lua_remove(L, -2);
  if (!compiled) lua_pop(L, 1);
  return compiled;
}

/* A statement is incomplete if the compiler stopped at the end of the text. */
static bool prompt_is_incomplete(lua_State *L, int status) {
  static const char end[] = "<eof>";
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  return status == LUA_ERRSYNTAX && length >= sizeof end - 1 &&
         strcmp(message + length - (sizeof end - 1), end) == 0;
}

/* Compiles the text at index 1, which grows line by line until it is complete. */
static int prompt_statement_compile(lua_State *L, const line_editor *editor) {
  for (;;) {
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    int status = luaL_loadbuffer(L, text, length, "=stdin");
    if (!prompt_is_incomplete(L, status) || !prompt_line_push(L, editor, false)) return status;
    lua_pushliteral(L, "\n");
    lua_replace(L, 2); /* in place of the message: text, newline, next line */
    lua_concat(L, 3);
  }
}

/* Leaves only a function on the stack, or a message if *status is not LUA_OK. False: the input has
 * ended. */
static bool prompt_statement_read(lua_State *L, const line_editor *editor, int *status) {
  lua_settop(L, 0);
  if (!prompt_line_push(L, editor, true)) return false;
  *status = prompt_expression_compile(L) ? LUA_OK : prompt_statement_compile(L, editor);
  const char *text = lua_tostring(L, 1);
  if (editor->read != NULL && text[0] != '\0') editor->remember(text);
  lua_remove(L, 1);
  return true;
}

/* Prints the values on the stack with the global `print`, which a script may have replaced. */
static void prompt_values_print(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  interrupt_begin(L);
  int status = lua_pcall(L, count, 0, 0);
  interrupt_end();
  if (status == LUA_OK) return;
  lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
  chunk_report(L, "");
}

void prompt_run(lua_State *L) {
  line_editor editor = prompt_editor_open();
  int status;
  while (interrupt_ending() == 0 && prompt_statement_read(L, &editor, &status)) {
    if (status == LUA_OK && chunk_call(L, 0, LUA_MULTRET) == STATUS_OK)
      prompt_values_print(L);
    else
      chunk_report(L, "");
  }
  putchar('\n');
  fflush(stdout);
}
