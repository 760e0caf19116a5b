#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool library_is_there(const char *prefix, const char *path) {
  char file[PATH_MAX];
  int length = snprintf(file, sizeof file, "%s/%s", prefix, path);
  return length < (int)sizeof file && access(file, R_OK) == 0;
}

/* The library is beside the program in a build tree, and one directory up when installed. */
static bool library_find_prefix(char prefix[PATH_MAX]) {
  ssize_t length = readlink("/proc/self/exe", prefix, PATH_MAX - 1);
  if (length == -1) return false;
  prefix[length] = '\0';
  for (int floors = 0; floors < 2; floors++) {
    char *end = strrchr(prefix, '/');
    if (end == NULL) return false;
    *end = '\0';
    if (library_is_there(prefix, "share/lua/5.4/lunet/init.lua")) return true;
  }
  return false;
}

void library_print_places(FILE *out) {
  static const struct {
    const char *what, *path;
  } places[] = {{"Experiments", "share/lunet/experiments"}, {"Documents", "share/doc/lunet"}};
  char prefix[PATH_MAX];
  if (!library_find_prefix(prefix)) return;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (library_is_there(prefix, places[i].path))
      fprintf(out, "%s: %s/%s\n", places[i].what, prefix, places[i].path);
}

static const char *library_push_directory(lua_State *L) {
  char prefix[PATH_MAX];
  if (!library_find_prefix(prefix)) return NULL;
  return lua_pushfstring(L, "%s/share/lua/5.4", prefix);
}

static bool library_is_ours(const char *name) {
  return strncmp(name, "lunet", 5) == 0 && (name[5] == '\0' || name[5] == '.');
}

/* Whether the template is in Lua's default path. */
static bool library_is_default(const char *template, size_t length) {
  for (const char *at = LUA_PATH_DEFAULT; at != NULL; at = strchr(at, *LUA_PATH_SEP)) {
    if (*at == *LUA_PATH_SEP) at++;
    if (strncmp(at, template, length) == 0 && (at[length] == '\0' || at[length] == *LUA_PATH_SEP))
      return true;
  }
  return false;
}

/* Pushes the path without the default templates, followed by the library's own. */
static void library_push_path(lua_State *L, const char *path, const char *directory) {
  luaL_Buffer own;
  luaL_buffinit(L, &own);
  while (*path != '\0') {
    size_t length = strcspn(path, LUA_PATH_SEP);
    if (length > 0 && !library_is_default(path, length)) {
      luaL_addlstring(&own, path, length);
      luaL_addstring(&own, LUA_PATH_SEP);
    }
    path += length + (path[length] != '\0');
  }
  lua_pushfstring(L, "%s/?.lua" LUA_PATH_SEP "%s/?/init.lua", directory, directory);
  luaL_addvalue(&own);
  luaL_pushresult(&own);
}

/* package.searchpath found nothing; its message is on top. If the library's own file can be opened
 * now, the failure was momentary, and the file's name replaces the message. Otherwise adds the
 * reason, which Lua leaves out. */
static bool library_push_own_file(lua_State *L, const char *name) {
  int words = lua_gettop(L);
  const char *inner = luaL_gsub(L, name, ".", "/");
  const char *format = strcmp(name, "lunet") == 0 ? "%s/%s/init.lua" : "%s/%s.lua";
  const char *file = lua_pushfstring(L, format, lua_tostring(L, lua_upvalueindex(2)), inner);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  bool is_there = fd != -1;
  if (is_there)
    close(fd);
  else if (errno != ENOENT)
    lua_pushfstring(L, "%s\n\t%s: %s", lua_tostring(L, words), file, strerror(errno));
  else
    lua_pushvalue(L, words);
  lua_replace(L, words);
  lua_settop(L, words);
  return is_there;
}

/* (name) -> loader, file | a message. Upvalues: package, the library's directory. */
static int library_search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  if (!library_is_ours(name)) return 0;
  lua_getfield(L, lua_upvalueindex(1), "searchpath");
  lua_pushvalue(L, 1);
  lua_getfield(L, lua_upvalueindex(1), "path");
  const char *path = lua_tostring(L, -1);
  if (path == NULL) luaL_error(L, "'package.path' must be a string");
  library_push_path(L, path, lua_tostring(L, lua_upvalueindex(2)));
  lua_remove(L, -2);
  lua_call(L, 2, 2);
  if (!lua_isnil(L, -2))
    lua_pop(L, 1);
  else if (!library_push_own_file(L, name))
    return 1;
  if (luaL_loadfile(L, lua_tostring(L, -1)) != LUA_OK)
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name,
                      lua_tostring(L, -2), lua_tostring(L, -1));
  lua_insert(L, -2);
  return 2;
}

void library_open(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_pushvalue(L, -2);
  if (library_push_directory(L) == NULL) {
    lua_pop(L, 3);
    return;
  }
  lua_pushcclosure(L, library_search, 2);
  for (lua_Integer i = luaL_len(L, -2); i > 1; i--) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -3, i + 1);
  }
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}
