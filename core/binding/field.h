/* Fields of the table on the top of the stack. */
#ifndef LUNET_BINDING_FIELD_H
#define LUNET_BINDING_FIELD_H

#include <lua.h>
#include <stdbool.h>

void field_set_integer(lua_State *L, const char *name, lua_Integer value);
void field_set_number(lua_State *L, const char *name, lua_Number value);
void field_set_boolean(lua_State *L, const char *name, bool value);
void field_set_string(lua_State *L, const char *name, const char *value); /* NULL: no such field */

#endif
