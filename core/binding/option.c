#include "binding/option.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "binding/failure.h"
#include "binding/field.h"
#include "binding/misuse.h"

/* -- set ----------------------------------------------------------------------------------- */

enum { SELF = 1, OPTIONS };

static const char *const no_fields[] = {NULL};

void option_read_table(lua_State *L, struct target_options *out) {
  lua_settop(L, OPTIONS);
  if (!lua_istable(L, OPTIONS))
    misuse(L, "a table of options expected, not %s", luaL_typename(L, OPTIONS));
  field_copy_table(L, OPTIONS);
  target_check_names(L, OPTIONS, no_fields, 0);
  target_read_options(L, OPTIONS, out);
  if (out->count == 0) misuse(L, "an option expected, such as { rcvbuf = 65536 }; not {}");
}

static void option_push_word(lua_State *L, const struct option *o) {
  lua_getfield(L, OPTIONS, o->name);
  lua_pushfstring(L, "%s = %s", o->name, luaL_tolstring(L, -1, NULL));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

const char *option_push_words(lua_State *L, const struct target_options *o) {
  if (o->refused != NULL) {
    option_push_word(L, o->refused);
    return lua_tostring(L, -1);
  }
  option_push_word(L, o->options[0].option);
  for (size_t i = 1; i < o->count; i++) {
    lua_pushliteral(L, ", ");
    option_push_word(L, o->options[i].option);
    lua_concat(L, 3);
  }
  return lua_tostring(L, -1);
}

int option_push_set(lua_State *L, const struct target_options *o, int result) {
  const char *refused = result < 0 ? target_push_refused(L, OPTIONS, o) : NULL;
  return failure_push_result(L, result, refused);
}

/* -- get ----------------------------------------------------------------------------------- */

void option_read_names(lua_State *L) {
  int count = lua_gettop(L);
  lua_createtable(L, 0, count);
  for (int i = SELF + 1; i <= count; i++) {
    if (lua_type(L, i) != LUA_TSTRING)
      misuse(L, "the name of an option expected, not %s", luaL_typename(L, i));
    lua_pushvalue(L, i);
    lua_pushboolean(L, 1);
    lua_rawset(L, count + 1);
  }
  target_check_names(L, count + 1, no_fields, 0);
}

static int option_push_text(lua_State *L, const struct option *o, int fd) {
  char text[OPTION_TEXT_SIZE];
  int result = option_get_text(fd, o, text);
  if (result == 0) lua_pushstring(L, text);
  return result;
}

static int option_push_linger(lua_State *L, int fd) {
  int seconds, result = option_get_linger(fd, &seconds);
  if (result < 0) return result;
  if (seconds == -1)
    lua_pushboolean(L, 0);
  else
    lua_pushinteger(L, seconds);
  return 0;
}

static int option_push_number(lua_State *L, const struct option *o, int fd) {
  int value, result = option_get_number(fd, o, &value);
  if (result < 0) return result;
  switch (o->type) {
  case OPTION_FLAG: lua_pushboolean(L, value != 0); break;
  case OPTION_MILLISECONDS: lua_pushnumber(L, value / 1e3); break;
  default: lua_pushinteger(L, value);
  }
  return 0;
}

/* Pushes the value, or returns a negative errno. */
static int option_push_value(lua_State *L, const struct option *o, int fd) {
  switch (o->type) {
  case OPTION_TEXT: return option_push_text(L, o, fd);
  case OPTION_LINGER: return option_push_linger(L, fd);
  default: return option_push_number(L, o, fd);
  }
}

static bool option_is_named(lua_State *L, int names, const struct option *o) {
  bool is_named = lua_getfield(L, names, o->name) != LUA_TNIL;
  lua_pop(L, 1);
  return is_named;
}

int option_push_values(lua_State *L, int fd) {
  int names = lua_gettop(L);
  lua_pushnil(L);
  bool wants_all = lua_next(L, names) == 0;
  lua_settop(L, names);
  lua_createtable(L, 0, OPTIONS_MOST);
  for (const struct option *o = option_table; o->name != NULL; o++) {
    if (!wants_all && !option_is_named(L, names, o)) continue;
    int result = option_push_value(L, o, fd);
    if (result == 0)
      lua_setfield(L, -2, o->name);
    else if (!wants_all)
      return failure_push(L, result, lua_pushfstring(L, "option %s", o->name));
  }
  return 1;
}
