/* The prompt: reads statements from standard input, runs them, prints the values of expressions. */
#ifndef LUNET_PROMPT_H
#define LUNET_PROMPT_H

#include <lua.h>

/* Returns at the end of the input. Each statement runs in the main thread, so waiting calls work as
 * in a script. Tasks make no progress between statements. */
void prompt_run(lua_State *L);

#endif
