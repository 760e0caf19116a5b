/* The Lua library's own files: it replaces whole files, locks them, and makes temporary ones. */
#ifndef LUNET_BINDING_FILE_H
#define LUNET_BINDING_FILE_H

#include <lua.h>

/* (path) -> kind | nil, message, CODE. Checks whether file_replace would succeed, and changes
 * nothing. The kind is "none" (no file, or an empty one), "file" (a file with content) or "stream"
 * (a pipe, a device or standard output). file_replace only writes to a stream. */
int file_can_replace(lua_State *L);

/* (path, text) -> true | nil, message, CODE */
int file_replace(lua_State *L);

/* (path) -> true | nil, message, CODE. A symbolic link stays, and its target is removed. */
int file_remove(lua_State *L);

/* (path) -> a text that is the same for all names of the file | nil, message, CODE */
int file_identity(lua_State *L);

/* (an open file of io.open) -> true | nil, message, CODE. Locks it until it is closed, or lunet
 * ends. EAGAIN: another process has locked it. */
int file_lock(lua_State *L);

/* () -> path | nil, message, CODE. Makes a directory for temporary files, which does not outlive
 * lunet. */
int file_open_scratch(lua_State *L);

/* (path) -> true. Removes the directory now, or, if that fails, when lunet ends. */
int file_close_scratch(lua_State *L);

/* (path) -> true | nil, message, CODE */
int file_make_directory(lua_State *L);

#endif
