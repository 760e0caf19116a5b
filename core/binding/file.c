#include "binding/file.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "binding/failure.h"
#include "platform/file.h"
#include "platform/leftovers.h"
#include "platform/replacement.h"

/* The kernel would take a zero byte for the end of the path. */
static const char *file_check_path(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, memchr(path, 0, length) == NULL, 1, "a path without zero bytes expected");
  return path;
}

/* Uses the words of Lua's io library, with which lunet's Lua library writes its other files. */
static int file_push_failure(lua_State *L, int code, const char *path) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(-code));
  lua_pushstring(L, failure_name(code));
  return 3;
}

static int file_push_result(lua_State *L, int result, const char *path) {
  if (result < 0) return file_push_failure(L, result, path);
  lua_pushboolean(L, 1);
  return 1;
}

int file_can_replace(lua_State *L) {
  static const char *const names[] = {"none", "file", "stream"};
  enum replacement_former former;
  const char *path = file_check_path(L);
  int result = replacement_check(path, &former);
  if (result < 0) return file_push_failure(L, result, path);
  lua_pushstring(L, names[former]);
  return 1;
}

int file_replace(lua_State *L) {
  size_t size;
  const char *path = file_check_path(L), *bytes = luaL_checklstring(L, 2, &size);
  fflush(stdout); /* the file may be standard output */
  return file_push_result(L, replacement_write(path, bytes, size), path);
}

int file_remove(lua_State *L) {
  const char *path = file_check_path(L);
  return file_push_result(L, replacement_remove(path), path);
}

int file_identity(lua_State *L) {
  char identity[REPLACEMENT_IDENTITY];
  const char *path = file_check_path(L);
  int result = replacement_identity(path, identity);
  if (result < 0) return file_push_failure(L, result, path);
  lua_pushstring(L, identity);
  return 1;
}

int file_lock(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  luaL_argcheck(L, stream->closef != NULL, 1, "an open file expected");
  return file_push_result(L, file_lock_alone(fileno(stream->f)), "lock");
}

/* -- scratch ------------------------------------------------------------------------------- */

static const char *file_temporary_place(void) {
  const char *place = getenv("TMPDIR");
  return place != NULL && place[0] != '\0' ? place : "/tmp";
}

static int file_make_scratch(char path[PATH_MAX]) {
  char above[PATH_MAX];
  uint32_t random;
  int result = file_random(&random, sizeof random);
  if (result < 0) return result;
  if (realpath(file_temporary_place(), above) == NULL) return -errno;
  if (snprintf(path, PATH_MAX, "%s/lunet-%08x", above, random) >= PATH_MAX) return -ENAMETOOLONG;
  leftovers_add(path);
  if (mkdir(path, 0700) == 0) return 0;
  result = -errno;
  leftovers_forget(path);
  return result;
}

int file_open_scratch(lua_State *L) {
  char path[PATH_MAX];
  int result;
  do result = file_make_scratch(path);
  while (result == -EEXIST);
  if (result < 0) return file_push_failure(L, result, file_temporary_place());
  lua_pushstring(L, path);
  return 1;
}

int file_close_scratch(lua_State *L) {
  const char *path = file_check_path(L);
  if (file_remove_tree(path) == 0) leftovers_forget(path);
  lua_pushboolean(L, 1);
  return 1;
}

int file_make_directory(lua_State *L) {
  const char *path = file_check_path(L);
  return file_push_result(L, file_make_directories(path), path);
}
