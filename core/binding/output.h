/* Standard output, kept for lunet's own words while a script runs. */
#ifndef LUNET_BINDING_OUTPUT_H
#define LUNET_BINDING_OUTPUT_H

#include <lua.h>

int output_divert(lua_State *L);  /* core.divert_output() */
int output_restore(lua_State *L); /* core.restore_output(kept) */

/* core.is_terminal(descriptor) */
int output_is_terminal(lua_State *L);

/* core.character_width(code): columns on a terminal; -1 if it is not to be shown */
int output_character_width(lua_State *L);

#endif
