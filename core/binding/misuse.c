#include "binding/misuse.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Key in the registry: the prefix of the library's sources, "@/usr/share/lua/5.4/lunet/". */
static const char LIBRARY[] = "lunet.library";

static bool misuse_is_library(lua_State *L, const lua_Debug *about) {
  bool is_known = lua_getfield(L, LUA_REGISTRYINDEX, LIBRARY) == LUA_TSTRING;
  const char *library = is_known ? lua_tostring(L, -1) : NULL;
  bool is_inside = is_known && strncmp(about->source, library, strlen(library)) == 0;
  lua_pop(L, 1);
  return is_inside;
}

int misuse_find_called(lua_State *L, lua_State *of, lua_Debug *called) {
  lua_Debug caller;
  int level = 0;
  if (lua_getstack(of, level, called) == 0) return 0;
  while (lua_getstack(of, ++level, &caller)) {
    lua_getinfo(of, "S", &caller);
    if (!misuse_is_library(L, &caller)) break;
    *called = caller;
  }
  lua_getinfo(of, "n", called);
  return level;
}

/* The text is on top of the stack. */
static int misuse_raise_at(lua_State *L, int level) {
  luaL_where(L, level);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

int misuse(lua_State *L, const char *format, ...) {
  lua_Debug called;
  va_list values;
  int level = misuse_find_called(L, L, &called);
  if (called.name != NULL)
    lua_pushfstring(L, "%s: ", called.name);
  else
    lua_pushliteral(L, "");
  va_start(values, format);
  lua_pushvfstring(L, format, values);
  va_end(values);
  lua_concat(L, 2);
  return misuse_raise_at(L, level);
}

int misuse_value(lua_State *L, int index, const char *rule) {
  bool is_number = lua_type(L, index) == LUA_TNUMBER;
  return misuse(L, "%s; not %s", rule,
                is_number ? lua_tostring(L, index) : luaL_typename(L, index));
}

/* Names the argument's type, in the words of luaL_typeerror. */
static const char *misuse_typename(lua_State *L, int argument) {
  if (luaL_getmetafield(L, argument, "__name") == LUA_TSTRING) return lua_tostring(L, -1);
  bool is_light = lua_type(L, argument) == LUA_TLIGHTUSERDATA;
  return is_light ? "light userdata" : luaL_typename(L, argument);
}

int misuse_type(lua_State *L, int argument, const char *expected) {
  lua_Debug called;
  const char *given = misuse_typename(L, argument);
  int level = misuse_find_called(L, L, &called);
  bool is_method = called.namewhat != NULL && strcmp(called.namewhat, "method") == 0;
  const char *name = called.name != NULL ? called.name : "?";
  if (is_method && argument == 1)
    lua_pushfstring(L, "calling '%s' on bad self (%s expected, got %s)", name, expected, given);
  else
    lua_pushfstring(L, "bad argument #%d to '%s' (%s expected, got %s)", argument - is_method, name,
                    expected, given);
  return misuse_raise_at(L, level);
}

int misuse_raise(lua_State *L) {
  lua_Debug called;
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  return misuse_raise_at(L, misuse_find_called(L, L, &called));
}

int misuse_check_self(lua_State *L) {
  const char *type = luaL_checkstring(L, 2);
  bool has_name = luaL_getmetafield(L, 1, "__name") == LUA_TSTRING;
  if (!has_name || strcmp(lua_tostring(L, -1), type) != 0) misuse_type(L, 1, type);
  return 0;
}

int misuse_set_library(lua_State *L) {
  lua_pushfstring(L, "@%s", luaL_checkstring(L, 1));
  lua_setfield(L, LUA_REGISTRYINDEX, LIBRARY);
  return 0;
}
