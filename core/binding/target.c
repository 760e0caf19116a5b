#include "binding/target.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "binding/field.h"
#include "binding/misuse.h"
#include "platform/socket.h"

static bool target_is_number_of(const struct option *o, lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TNUMBER) return false;
  lua_Number value = lua_tonumber(L, index);
  bool is_whole = o->type == OPTION_MILLISECONDS || value == floor(value);
  return is_whole && value >= o->min && value <= o->max;
}

/* The value is on top of the stack. */
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
    field_check_text(L, -1, o->name);
    return;
  case OPTION_LINGER:
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) return;
    if (target_is_number_of(o, L, -1)) return;
    misuse(L,
           "option linger: 0 (close sends RST) or false expected, not %s: with a longer "
           "time close(2) would wait, and lunet's close never does",
           field_push_shown(L));
    return;
  default:
    if (target_is_number_of(o, L, -1)) return;
    misuse(L, "option %s: a %snumber from %I to %I%s expected, not %s", o->name,
           o->type == OPTION_MILLISECONDS ? "" : "whole ", (LUAI_UACINT)o->min, (LUAI_UACINT)o->max,
           unit, field_push_shown(L));
  }
}

void target_check_names(lua_State *L, int index, const char *const fields[], int items) {
  const char *known[TARGET_FIELDS_MOST + OPTIONS_MOST];
  size_t count = 0;
  for (; fields[count] != NULL; count++) known[count] = fields[count];
  for (const struct option *o = option_table; o->name != NULL; o++) known[count++] = o->name;
  known[count] = NULL;
  field_check_names(L, index, "option", known, items);
}

/* The value is on top of the stack. */
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
    if (lua_getfield(L, index, o->name) != LUA_TNIL) {
      target_check_option(L, o);
      out->options[out->count++] = target_read_option(L, o);
    }
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
    /* MPTCP has fewer options than TCP, on every kernel. */
    o->is_kernel_too_old = result == -ENOPROTOOPT && !socket_is_mptcp(fd);
    return result;
  }
  return 0;
}

const char *target_push_refused(lua_State *L, int index, const struct target_options *o) {
  const struct option *refused = o->refused;
  lua_getfield(L, index, refused->name);
  const char *value = luaL_tolstring(L, -1, NULL);
  if (!o->is_kernel_too_old || refused->since == NULL)
    return lua_pushfstring(L, "option %s = %s", refused->name, value);
  return lua_pushfstring(L, "option %s = %s, which needs Linux %s", refused->name, value,
                         refused->since);
}

int target_read_protocol(lua_State *L, int index, const address *a) {
  const char *name = field_get_string(L, index, "protocol", NULL);
  if (name == NULL) return 0;
  if (address_family(a) == AF_UNIX) misuse(L, "protocol: a Unix socket has none");
  if (strcmp(name, "mptcp") == 0) return SOCKET_MPTCP;
  if (strcmp(name, "tcp") != 0)
    misuse(L, "protocol: \"tcp\" or \"mptcp\" expected, not \"%s\"", name);
  return 0;
}
