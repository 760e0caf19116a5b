#include "command.h"

#include <lauxlib.h>
#include <string.h>

static const struct {
  const char *word, *module, *meaning;
} commands[] = {
  {"doctor", "lunet.command.doctor", "show what lunet can do here, and how to enable the rest"},
  {"--kernel", "lunet.command.kernel", "run a script or a directory under another kernel"},
  {"--virtual-time", "lunet.command.kernel",
   "run them where waiting takes no time: lunet --kernel --help"},
  {"kernels", "lunet.command.kernels", "list the kernels that there are, and those in the cache"},
  {"queues", "lunet.command.queues", "show what waits in the accept queues of this machine"},
  {"sweep", "lunet.command.sweep", "run an experiment many times, at many values of its knobs"},
  {"sweep-worker", "lunet.sweep.worker", NULL}, /* sweep starts it; nobody else needs its name */
};

enum { COMMANDS = sizeof commands / sizeof *commands };

const char *command_module(const char *word) {
  for (size_t i = 0; word != NULL && i < COMMANDS; i++)
    if (strcmp(word, commands[i].word) == 0) return commands[i].module;
  return NULL;
}

void command_print_all(FILE *out) {
  for (size_t i = 0; i < COMMANDS; i++)
    if (commands[i].meaning != NULL)
      fprintf(out, "  lunet %-20s %s\n", commands[i].word, commands[i].meaning);
}

void command_push_names(lua_State *L) {
  luaL_Buffer names;
  luaL_buffinit(L, &names);
  const char *separator = "";
  for (size_t i = 0; i < COMMANDS; i++) {
    if (commands[i].meaning == NULL) continue;
    luaL_addstring(&names, separator);
    luaL_addstring(&names, commands[i].word);
    separator = ", ";
  }
  luaL_pushresult(&names);
}
