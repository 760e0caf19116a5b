/* The commands of the lunet program. A first word that names one is the command, not a file. */
#ifndef LUNET_COMMAND_H
#define LUNET_COMMAND_H

#include <lua.h>
#include <stdio.h>

/* The Lua module that runs the command `word`. NULL: `word` is not a command, or is NULL. */
const char *command_module(const char *word);

/* Prints a line for each command that users need, in the form of `lunet --help`. */
void command_print_all(FILE *out);

/* Pushes the names of these commands, separated by commas. */
void command_push_names(lua_State *L);

#endif
