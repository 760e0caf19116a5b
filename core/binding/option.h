/* The socket options of a live connection or listener: the methods `set` and `get`, whose first
 * argument is the connection or listener. */
#ifndef LUNET_BINDING_OPTION_H
#define LUNET_BINDING_OPTION_H

#include <lua.h>

#include "binding/target.h"

/* Reads the table that `set` takes. Raises unless it has an option, and only options. */
void option_read_table(lua_State *L, struct target_options *out);

/* Pushes "rcvbuf = 4096, nodelay = true" for that table; if one was refused, only that one. */
const char *option_push_words(lua_State *L, const struct target_options *o);

/* Pushes the results of `set`; `result`: of target_set_options. */
int option_push_set(lua_State *L, const struct target_options *o, int result);

/* Reads the names that `get` takes, into a table on the top of the stack. Raises unless each is an
 * option's. */
void option_read_names(lua_State *L);

/* Pushes a table with the values of these options; without names, of all that the socket has. Or
 * pushes the failure of the first one that it has not. */
int option_push_values(lua_State *L, int fd);

#endif
