/* Files that the Lua library writes: they replace others whole, or are removed at the end. */
#ifndef LUNET_BINDING_FILE_H
#define LUNET_BINDING_FILE_H

#include <lua.h>

/* (path) -> what is there | nil, message, CODE: whether file_replace can do it. Makes nothing.
 * "none": nothing, or an empty file; "file": a file with content; "stream": what is written to as
 * it is, such as a pipe. */
int file_can_replace(lua_State *L);

/* (path, text) -> true | nil, message, CODE */
int file_replace(lua_State *L);

/* (path) -> a text that all names of a file have in common | nil, message, CODE */
int file_identity(lua_State *L);

/* () -> the path of a new directory for temporary files, which does not outlive lunet | nil,
 * message, CODE */
int file_open_scratch(lua_State *L);

/* (path) -> true. What cannot be removed yet is removed when lunet ends. */
int file_close_scratch(lua_State *L);

/* (path) -> true | nil, message, CODE */
int file_make_directory(lua_State *L);

#endif
