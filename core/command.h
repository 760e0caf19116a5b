/* The commands of the lunet program. A first word that names one is the command, not a file. */
#ifndef LUNET_COMMAND_H
#define LUNET_COMMAND_H

#include <lua.h>
#include <stdio.h>

/* The Lua module that runs the command; NULL if the word names none, or is NULL. */
const char *command_module(const char *word);

/* Prints a line for each command, indented like the lines of `lunet --help`. */
void command_print_all(FILE *out);

/* Pushes the names of all commands, with commas between them. */
void command_push_names(lua_State *L);

#endif
