/* Standard output: lunet diverts the script's, so that only its own text is printed there. */
#ifndef LUNET_BINDING_OUTPUT_H
#define LUNET_BINDING_OUTPUT_H

#include <lua.h>

/* core.divert_output() -> kept | nil, message, CODE. Sends standard output to standard error, for
 * print, io.stdout and the programs that the script starts. */
int output_divert(lua_State *L);

int output_restore(lua_State *L); /* core.restore_output(kept) -> true | nil, message, CODE */

int output_is_terminal(lua_State *L); /* core.is_terminal(descriptor) */

/* core.character_width(code): the columns of a Unicode character on a terminal, or -1 if it must
 * not be printed. */
int output_character_width(lua_State *L);

#endif
