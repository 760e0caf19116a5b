/* The prompt: reads statements from standard input, runs each, prints the values of expressions. */
#ifndef LUNET_PROMPT_H
#define LUNET_PROMPT_H

#include <lua.h>

/* Returns at the end of the input. Each statement runs in the main thread, so calls that wait work
 * as in a script; tasks stand still between statements. */
void prompt_run(lua_State *L);

#endif
