/* The tables that listen and connect take: addresses, a label, and socket options by name. */
#ifndef LUNET_BINDING_TARGET_H
#define LUNET_BINDING_TARGET_H

#include <lauxlib.h>

#include "platform/address.h"

/* Raises unless every key of the table at `index` is one of `fields` (ends with NULL) or a socket
 * option whose value is of the right type and within its bounds. */
void target_check(lua_State *L, int index, const char *const fields[]);

/* Sets the table's socket options on a new socket. Returns 0, or a negative errno with the option's
 * name and value pushed. */
int target_set_options(lua_State *L, int index, int fd);

/* Fields of the table at `index`, checked: raise when of the wrong kind. */
int target_integer(lua_State *L, int index, const char *field, int min, int max, int missing);
const char *target_string(lua_State *L, int index, const char *field, const char *missing);

/* The addresses that connect takes: a string, a listener, or a table of these and more. */
void target_peer(lua_State *L, int index, address *out);
bool target_from(lua_State *L, int index, address *out); /* `from`; false: none given */

/* `address` (`missing` if there is none) and `port` of listen */
void target_local(lua_State *L, int index, const char *missing, address *out);

#endif
