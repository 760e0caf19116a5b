/* Finds what is installed beside the program: lunet's own Lua library, experiments and documents.
 */
#ifndef LUNET_LIBRARY_H
#define LUNET_LIBRARY_H

#include <lua.h>
#include <stdio.h>

/* Adds a searcher for the modules "lunet" and "lunet.*", after package.preload. It tries the
 * templates that the script added to package.path, then the program's own library. Lua's default
 * directories come last, because another version of lunet may be installed there. package.path does
 * not change. */
void library_open(lua_State *L);

/* Prints a line for each that there is: the directory of the experiments, that of the documents. */
void library_print_places(FILE *out);

#endif
