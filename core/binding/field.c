#include "binding/field.h"

#include <lauxlib.h>
#include <string.h>

#include "binding/misuse.h"

/* The collector runs in lua_createtable, but not in lua_next and lua_rawset (lapi.c, luaC_checkGC):
 * no finalizer changes the table between two steps. */
void field_copy_table(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_createtable(L, 0, 8);
  for (lua_pushnil(L); lua_next(L, index);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, index);
}

static bool field_is_known(lua_State *L, int index, const char *const known[], lua_Integer items) {
  if (lua_isinteger(L, index))
    return lua_tointeger(L, index) >= 1 && lua_tointeger(L, index) <= items;
  if (lua_type(L, index) != LUA_TSTRING) return false;
  for (; *known != NULL; known++)
    if (strcmp(lua_tostring(L, index), *known) == 0) return true;
  return false;
}

/* The unknown key is on the top of the stack. */
static void field_refuse(lua_State *L, const char *noun, const char *const known[]) {
  luaL_Buffer names;
  const char *key = luaL_tolstring(L, -1, NULL);
  luaL_buffinit(L, &names);
  for (int i = 0; known[i] != NULL; i++) {
    if (i > 0) luaL_addstring(&names, ", ");
    luaL_addstring(&names, known[i]);
  }
  luaL_pushresult(&names);
  misuse(L, "unknown %s '%s' (known: %s)", noun, key, lua_tostring(L, -1));
}

void field_check_names(lua_State *L, int index, const char *noun, const char *const known[],
                       lua_Integer items) {
  index = lua_absindex(L, index);
  for (lua_pushnil(L); lua_next(L, index);) {
    lua_pop(L, 1);
    if (!field_is_known(L, -1, known, items)) field_refuse(L, noun, known);
  }
}

const char *field_check_text(lua_State *L, int index, const char *field) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  if (strlen(text) != length) misuse(L, "%s: a zero byte in \"%s\\0...\"", field, text);
  return text;
}

const char *field_push_shown(lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING) return lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
  return luaL_tolstring(L, -1, NULL);
}

int field_get_integer(lua_State *L, int index, const char *field, int min, int max, int missing) {
  int is_integer;
  if (lua_getfield(L, index, field) == LUA_TNIL && missing >= 0) {
    lua_pop(L, 1);
    return missing;
  }
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER || value < min || value > max)
    misuse(L, "%s: a whole number from %d to %d expected, not %s", field, min, max,
           field_push_shown(L));
  lua_pop(L, 1);
  return (int)value;
}

lua_Number field_get_number(lua_State *L, int index, const char *field, lua_Number min,
                            lua_Number max) {
  int type = lua_getfield(L, index, field);
  lua_Number value = type == LUA_TNIL ? min : lua_tonumber(L, -1);
  bool is_right = type == LUA_TNIL || (type == LUA_TNUMBER && value >= min && value <= max);
  if (!is_right)
    misuse(L, "%s: a number from %f to %f expected, not %s", field, min, max, field_push_shown(L));
  lua_pop(L, 1);
  return value;
}

bool field_get_boolean(lua_State *L, int index, const char *field) {
  lua_getfield(L, index, field);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

const char *field_get_string(lua_State *L, int index, const char *field, const char *missing) {
  int type = lua_getfield(L, index, field);
  if (type != LUA_TNIL && type != LUA_TSTRING)
    misuse(L, "%s: a string expected, not %s", field, luaL_typename(L, -1));
  const char *value = type == LUA_TNIL ? missing : field_check_text(L, -1, field);
  lua_pop(L, 1); /* the copy of the table keeps it alive */
  return value;
}

void field_set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

void field_set_number(lua_State *L, const char *name, lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

void field_set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

void field_set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value); /* pushes nil for NULL */
  lua_setfield(L, -2, name);
}
