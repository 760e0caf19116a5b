#include "binding/target.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "binding/misuse.h"

static bool target_is_field(const char *name, const char *const fields[]) {
  for (; *fields != NULL; fields++)
    if (strcmp(name, *fields) == 0) return true;
  return false;
}

static int target_refuse_unknown(lua_State *L, const char *name, const char *const fields[]) {
  luaL_Buffer known;
  luaL_buffinit(L, &known);
  for (; *fields != NULL; fields++) {
    luaL_addstring(&known, *fields);
    luaL_addstring(&known, ", ");
  }
  for (const struct option *o = option_table; o->name != NULL; o++) {
    luaL_addstring(&known, o->name);
    if (o[1].name != NULL) luaL_addstring(&known, ", ");
  }
  luaL_pushresult(&known);
  return misuse(L, "unknown option '%s' (known: %s)", name, lua_tostring(L, -1));
}

const char *target_text(lua_State *L, int index, const char *field) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  if (strlen(text) != length) misuse(L, "%s: a zero byte in \"%s\\0...\"", field, text);
  return text;
}

/* The refused value on the top of the stack, as the script wrote it. */
static const char *target_shown(lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING) return lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
  return luaL_tolstring(L, -1, NULL);
}

static bool target_is_number_of(const struct option *o, lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TNUMBER) return false;
  lua_Number value = lua_tonumber(L, index);
  bool is_whole = o->type == OPTION_MILLISECONDS || value == floor(value);
  return is_whole && value >= o->min && value <= o->max;
}

/* The value is on the top of the stack. */
static void target_check_option(lua_State *L, const struct option *o) {
  const char *unit = o->type == OPTION_NUMBER ? "" : " seconds";
  switch (o->type) {
  case OPTION_FLAG:
    if (!lua_isboolean(L, -1))
      misuse(L, "option %s: true or false expected, not %s", o->name, luaL_typename(L, -1));
    return;
  case OPTION_TEXT:
    if (lua_type(L, -1) != LUA_TSTRING)
      misuse(L, "option %s: a string expected, not %s", o->name, luaL_typename(L, -1));
    target_text(L, -1, o->name);
    return;
  case OPTION_LINGER:
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) return;
    if (target_is_number_of(o, L, -1)) return;
    misuse(L,
           "option linger: 0 (close sends RST) or false expected, not %s: with a longer "
           "time close(2) would wait, and lunet's close never does",
           target_shown(L));
    return;
  default:
    if (target_is_number_of(o, L, -1)) return;
    misuse(L, "option %s: a %snumber from %I to %I%s expected, not %s", o->name,
           o->type == OPTION_MILLISECONDS ? "" : "whole ", (LUAI_UACINT)o->min, (LUAI_UACINT)o->max,
           unit, target_shown(L));
  }
}

void target_check(lua_State *L, int index, const char *const fields[]) {
  index = lua_absindex(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    bool is_first = lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1;
    if (is_first && target_is_field("[1]", fields)) continue;
    if (lua_type(L, -2) != LUA_TSTRING)
      target_refuse_unknown(L, luaL_tolstring(L, -2, NULL), fields);
    const char *name = lua_tostring(L, -2);
    if (target_is_field(name, fields)) continue;
    const struct option *o = option_find(name);
    if (o != NULL)
      target_check_option(L, o);
    else
      target_refuse_unknown(L, name, fields);
  }
}

/* What is on the top of the stack. */
static struct target_option target_read_option(lua_State *L, const struct option *o) {
  struct target_option read = {.option = o};
  switch (o->type) {
  case OPTION_FLAG: read.value = lua_toboolean(L, -1); break;
  case OPTION_TEXT: read.text = lua_tostring(L, -1); break;
  case OPTION_LINGER: read.value = lua_type(L, -1) == LUA_TNUMBER; break;
  case OPTION_MILLISECONDS: read.value = (int)ceil(lua_tonumber(L, -1) * 1000); break;
  default: read.value = (int)lua_tonumber(L, -1);
  }
  return read;
}

void target_read_options(lua_State *L, int index, struct target_options *out) {
  out->count = 0;
  out->refused = NULL;
  for (const struct option *o = option_table; o->name != NULL; o++) {
    if (lua_getfield(L, index, o->name) != LUA_TNIL)
      out->options[out->count++] = target_read_option(L, o);
    lua_pop(L, 1);
  }
}

static int target_set_option(const struct target_option *o, int fd) {
  switch (o->option->type) {
  case OPTION_TEXT: return option_set_text(fd, o->option, o->text);
  case OPTION_LINGER: return option_set_linger(fd, o->value);
  default: return option_set_number(fd, o->option, o->value);
  }
}

int target_set_options(struct target_options *o, int fd) {
  for (size_t i = 0; i < o->count; i++) {
    int result = target_set_option(&o->options[i], fd);
    if (result == 0) continue;
    o->refused = o->options[i].option;
    return result;
  }
  return 0;
}

const char *target_push_refused(lua_State *L, int index, const struct target_options *o) {
  lua_getfield(L, index, o->refused->name);
  return lua_pushfstring(L, "option %s = %s", o->refused->name, luaL_tolstring(L, -1, NULL));
}

int target_integer(lua_State *L, int index, const char *field, int min, int max, int missing) {
  int is_integer;
  if (lua_getfield(L, index, field) == LUA_TNIL && missing >= 0) {
    lua_pop(L, 1);
    return missing;
  }
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER || value < min || value > max)
    misuse(L, "%s: a whole number from %d to %d expected, not %s", field, min, max,
           target_shown(L));
  lua_pop(L, 1);
  return (int)value;
}

const char *target_string(lua_State *L, int index, const char *field, const char *missing) {
  int type = lua_getfield(L, index, field);
  if (type != LUA_TNIL && type != LUA_TSTRING)
    misuse(L, "%s: a string expected, not %s", field, luaL_typename(L, -1));
  const char *value = type == LUA_TNIL ? missing : target_text(L, -1, field);
  lua_pop(L, 1); /* the copy of the table keeps it */
  return value;
}
