/* Finds lunet's own Lua library, which is installed beside the program. */
#ifndef LUNET_LIBRARY_H
#define LUNET_LIBRARY_H

#include <lua.h>

/* Adds a searcher for the modules "lunet" and "lunet.*", after package.preload. It tries the
 * templates that the script added to package.path, then the program's own library. Lua's default
 * directories come last, because another version of lunet may be installed there. package.path does
 * not change. */
void library_open(lua_State *L);

#endif
