#include "binding/field.h"

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
  lua_pushstring(L, value); /* of NULL, nil */
  lua_setfield(L, -2, name);
}
