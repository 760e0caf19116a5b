#include "command.h"

#include <lauxlib.h>
#include <string.h>

static const struct {
  const char *word, *module, *meaning;
} commands[] = {
  {"doctor", "lunet.command.doctor", "show what lunet can do here, and how to enable the rest"},
  {"sweep", "lunet.command.sweep", "run an experiment many times, at many values of its knobs"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

const char *command_module(const char *word) {
  for (size_t i = 0; word != NULL && i < COMMANDS; i++)
    if (strcmp(word, commands[i].word) == 0) return commands[i].module;
  return NULL;
}

void command_print_all(FILE *out) {
  for (size_t i = 0; i < COMMANDS; i++)
    fprintf(out, "  lunet %-20s %s\n", commands[i].word, commands[i].meaning);
}

void command_push_names(lua_State *L) {
  luaL_Buffer names;
  luaL_buffinit(L, &names);
  for (size_t i = 0; i < COMMANDS; i++) {
    if (i > 0) luaL_addstring(&names, ", ");
    luaL_addstring(&names, commands[i].word);
  }
  luaL_pushresult(&names);
}
