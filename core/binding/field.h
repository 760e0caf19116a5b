/* Fields of tables: checks those that scripts give, and sets those that scripts get. */
#ifndef LUNET_BINDING_FIELD_H
#define LUNET_BINDING_FIELD_H

#include <lua.h>
#include <stdbool.h>

/* Replaces the table at `index`, whatever its metatable, by a copy without one that nothing else
 * refers to. Every call reads its caller's tables only through such a copy. No metamethod or
 * finalizer runs while it is made, and none that runs later can change it: its strings stay alive
 * until the call ends. */
void field_copy_table(lua_State *L, int index);

/* The functions below read a copy at `index`, and raise when a field is wrong. */

/* Raises "unknown option 'size' (known: ...)" unless each key is one of `known` (ends with NULL) or
 * a whole number from 1 to `items`. `noun` is "option" or "field". */
void field_check_names(lua_State *L, int index, const char *noun, const char *const known[],
                       lua_Integer items);

/* A whole number from `min` to `max`. An absent field gives `missing`, or raises if that is
 * negative. */
int field_get_integer(lua_State *L, int index, const char *field, int min, int max, int missing);

/* A number from `min` to `max`; an absent field gives `min`. */
lua_Number field_get_number(lua_State *L, int index, const char *field, lua_Number min,
                            lua_Number max);

/* Whether the field is neither nil nor false. */
bool field_get_boolean(lua_State *L, int index, const char *field);

/* A string without zero bytes; an absent field gives `missing`. */
const char *field_get_string(lua_State *L, int index, const char *field, const char *missing);

/* The string at `index` itself, for a system call: raises if it has a zero byte, where the kernel
 * would see its end. `field` names it in the message. */
const char *field_check_text(lua_State *L, int index, const char *field);

/* Pushes the value on the top of the stack as the script wrote it, for a message. */
const char *field_push_shown(lua_State *L);

/* Set a field of the table on the top of the stack. */
void field_set_integer(lua_State *L, const char *name, lua_Integer value);
void field_set_number(lua_State *L, const char *name, lua_Number value);
void field_set_boolean(lua_State *L, const char *name, bool value);
void field_set_string(lua_State *L, const char *name, const char *value); /* NULL: no such field */

#endif
