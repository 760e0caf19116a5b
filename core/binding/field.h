/* Fields of tables: of those that scripts give, and of those that they get. */
#ifndef LUNET_BINDING_FIELD_H
#define LUNET_BINDING_FIELD_H

#include <lua.h>
#include <stdbool.h>

/* Puts a copy in the place of the table at `index`, which nothing else refers to and which has no
 * metatable. Every call reads the tables of its caller this way, and this way alone. Neither
 * metamethods nor finalizers run while it is copied; what they do later changes nothing in the
 * copy, so that its strings stay alive until the call ends. */
void field_copy_table(lua_State *L, int index);

/* Fields of the table on the top of the stack. */
void field_set_integer(lua_State *L, const char *name, lua_Integer value);
void field_set_number(lua_State *L, const char *name, lua_Number value);
void field_set_boolean(lua_State *L, const char *name, bool value);
void field_set_string(lua_State *L, const char *name, const char *value); /* NULL: no such field */

#endif
