/* The table that exec takes: a program, its arguments, and how it is to run. */
#ifndef LUNET_BINDING_PROGRAM_H
#define LUNET_BINDING_PROGRAM_H

#include <lua.h>

#include "handle/process.h"

/* Reads the table at `index`, which field_copy_table has made. Pushes a table that keeps all of
 * `out` alive. Raises unless every field is known and of the right kind. */
void program_read(lua_State *L, int index, struct program *out);

/* Takes the descriptors of the sockets in its field `fds`, and sets whether they block. The caller
 * must not run Lua code before it has used them. Raises if one is closed. 0 or a negative errno. */
int program_take_descriptors(lua_State *L, int index, struct program *out);

/* (name, value or nil) -> nothing. Sets a variable of this process, and so of the programs that it
 * starts; nil removes it. */
int program_set_environment(lua_State *L);

#endif
