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

/* Readline's functions. NULL: standard input is not a terminal, or readline is not installed. */
typedef struct line_editor {
  char *(*read)(const char *prompt);
  void (*remember)(const char *line);
} line_editor;

static const char LIBRARY[] = "lunet.command.prompt";

/* -- completion ----------------------------------------------------------------------------- */

/* Readline calls functions without an argument of ours. */
static struct prompt_completion {
  lua_State *L; /* while readline reads a line; nobody else uses it meanwhile */
  char **(*matches)(const char *text, char *(*generator)(const char *, int));
  int *is_over;          /* no names of files if no word fits */
  int *append_character; /* 0: no space after a word */
} completion;

/* (library, word, number) -> the word's completion of that number, or nil. A failure is no
 * completion. */
static char *prompt_next_word(const char *text, int state) {
  static lua_Integer number;
  lua_State *L = completion.L;
  int top = lua_gettop(L);
  char *word = NULL;
  number = state == 0 ? 1 : number + 1;
  if (lua_getfield(L, LUA_REGISTRYINDEX, LIBRARY) == LUA_TTABLE &&
      lua_getfield(L, -1, "completions") == LUA_TFUNCTION) {
    lua_pushstring(L, text);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1) &&
        lua_rawgeti(L, -1, number) == LUA_TSTRING)
      word = strdup(lua_tostring(L, -1)); /* readline frees it */
  }
  lua_settop(L, top);
  return word;
}

static char **prompt_complete(const char *text, int start, int end) {
  (void)start;
  (void)end;
  *completion.is_over = 1;
  *completion.append_character = '\0';
  return completion.matches(text, prompt_next_word);
}

static void prompt_completion_open(lua_State *L, void *readline) {
  completion.L = L;
  *(void **)&completion.matches = dlsym(readline, "rl_completion_matches");
  completion.is_over = dlsym(readline, "rl_attempted_completion_over");
  completion.append_character = dlsym(readline, "rl_completion_append_character");
  char **(**hook)(const char *, int, int) = dlsym(readline, "rl_attempted_completion_function");
  const char **breaks = dlsym(readline, "rl_completer_word_break_characters");
  if (completion.matches == NULL || completion.is_over == NULL ||
      completion.append_character == NULL || hook == NULL || breaks == NULL)
    return;
  *hook = prompt_complete;
  *breaks = " \t\n\"\\'`@$><=;|&{}()[],+-*/%^~#"; /* a point or a colon is a part of a word */
}

/* -- lines ---------------------------------------------------------------------------------- */

/* Opens readline only for a prompt, because it would slow down the start of every script. Never
 * closes it, because readline leaves its own signal and terminal state behind. */
static line_editor prompt_editor_open(lua_State *L) {
  line_editor editor = {NULL, NULL};
  void *library = isatty(STDIN_FILENO) ? dlopen("libreadline.so.8", RTLD_NOW) : NULL;
  if (library == NULL) return editor;
  *(void **)&editor.read = dlsym(library, "readline");
  *(void **)&editor.remember = dlsym(library, "add_history");
  const char **program_name = dlsym(library, "rl_readline_name"); /* for `$if` in .inputrc */
  if (program_name != NULL) *program_name = "lunet";
  if (editor.remember == NULL) editor.read = NULL;
  if (editor.read != NULL) prompt_completion_open(L, library);
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

/* -- values --------------------------------------------------------------------------------- */

/* Keeps the part of the prompt that is in Lua in the registry. Without it, as with a broken
 * library, the prompt prints tables as Lua does, and completes nothing. */
static void prompt_library_open(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushstring(L, LIBRARY);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) lua_setfield(L, LUA_REGISTRYINDEX, LIBRARY);
  lua_settop(L, 0);
}

/* Replaces the values on the stack by those that the library shows in their place. */
static void prompt_values_shape(lua_State *L) {
  int count = lua_gettop(L);
  bool is_there = lua_getfield(L, LUA_REGISTRYINDEX, LIBRARY) == LUA_TTABLE &&
                  lua_getfield(L, -1, "shown") == LUA_TFUNCTION;
  if (is_there) {
    for (int i = 1; i <= count; i++) lua_pushvalue(L, i);
    if (lua_pcall(L, count, count, 0) == LUA_OK)
      for (int i = count; i >= 1; i--) lua_replace(L, i);
  }
  lua_settop(L, count);
}

/* Prints the values on the stack with the global `print`, which a script may have replaced. */
static void prompt_values_print(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, count + LUA_MINSTACK, "too many results to print");
  prompt_values_shape(L);
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
  prompt_library_open(L);
  line_editor editor = prompt_editor_open(L);
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
