/* lunet's own Lua library, which lies beside the program. */
#ifndef LUNET_LIBRARY_H
#define LUNET_LIBRARY_H

#include <lua.h>

/* Adds a searcher for the module "lunet" and those below it, behind package.preload. A file that
 * the script's own package.path names comes first, then the program's own library, then the
 * directories that every Lua has in its path: another lunet may be installed there.
 * package.path stays as it is. */
void library_open(lua_State *L);

#endif
