#include "binding/failure.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "handle/op.h"

static const struct own_code {
  ssize_t code;
  const char *name, *message;
} own_codes[] = {
  {OP_TIMEOUT, "TIMEOUT", "the deadline passed"},
  {OP_EOF, "EOF", "the peer has ended its side"},
  {OP_CLOSED, "CLOSED", "closed by this side"},
  {OP_CANCELED, "CANCELED", "the task was canceled"},
  {0, NULL, NULL},
};

enum { MESSAGE = 128 };

static const struct own_code *failure_own_code(ssize_t code) {
  const struct own_code *own = own_codes;
  while (own->name != NULL && own->code != code) own++;
  return own->name != NULL ? own : NULL;
}

const char *failure_name(ssize_t code) {
  const struct own_code *own = failure_own_code(code);
  const char *name = own != NULL ? own->name : strerrorname_np((int)-code);
  return name != NULL ? name : "UNKNOWN";
}

/* -- shortages ----------------------------------------------------------------------------- */

/* The machine lacks something at the moment, or a signal interrupted a call. Such failures say
 * nothing about the subject of an experiment. ENOSPC: fs.epoll.max_user_watches. */
static const int shortages[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOSPC, EINTR};

/* The registry has under this address: true while lunet looks for shortages, then the first text.
 */
static const char SHORTAGE;

static bool failure_is_shortage(ssize_t code) {
  for (size_t i = 0; i < sizeof shortages / sizeof *shortages; i++)
    if (code == -shortages[i]) return true;
  return false;
}

int failure_expect_none(lua_State *L) {
  lua_pushboolean(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &SHORTAGE);
  return 0;
}

int failure_shortage(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &SHORTAGE) != LUA_TSTRING) lua_pushnil(L);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &SHORTAGE);
  return 1;
}

/* ------------------------------------------------------------------------------------------ */

/* libuv's words, or for an error that libuv does not know those of the C library, in its style. */
static const char *failure_message(ssize_t code, char text[MESSAGE]) {
  const struct own_code *own = failure_own_code(code);
  if (own != NULL) return own->message;
  uv_strerror_r((int)code, text, MESSAGE); /* uv_strerror leaks for an unknown code */
  const char *words = strerrordesc_np((int)-code);
  if (strncmp(text, "Unknown system error", strlen("Unknown system error")) == 0 && words != NULL) {
    snprintf(text, MESSAGE, "%s", words);
    text[0] = (char)tolower(text[0]);
  }
  return text;
}

int failure_push_refusal(lua_State *L, ssize_t code, const char *what) {
  char text[MESSAGE];
  const char *message = failure_message(code, text);
  lua_pushnil(L);
  const char *name = failure_name(code);
  if (what != NULL)
    lua_pushfstring(L, "%s: %s (%s)", what, message, name);
  else
    lua_pushfstring(L, "%s (%s)", message, name);
  lua_pushstring(L, name);
  return 3;
}

int failure_push(lua_State *L, ssize_t code, const char *what) {
  failure_push_refusal(L, code, what);
  if (!failure_is_shortage(code)) return 3;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &SHORTAGE) == LUA_TBOOLEAN) {
    lua_pushvalue(L, -3); /* the message */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &SHORTAGE);
  }
  lua_pop(L, 1);
  return 3;
}

int failure_push_result(lua_State *L, ssize_t result, const char *what) {
  if (result < 0) return failure_push(L, result, what);
  lua_pushboolean(L, 1);
  return 1;
}

static const char CANCELED[] = "lunet.canceled"; /* key in the registry: the error object */

static int failure_canceled_tostring(lua_State *L) {
  lua_getfield(L, 1, "message");
  return 1;
}

void failure_push_canceled(lua_State *L) {
  if (luaL_getsubtable(L, LUA_REGISTRYINDEX, CANCELED)) return;
  lua_pushliteral(L, "CANCELED");
  lua_setfield(L, -2, "code");
  lua_pushliteral(L, "the task was canceled");
  lua_setfield(L, -2, "message");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, failure_canceled_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
}

/* Key in the registry: a table from each coroutine, weakly, to the last error that passed it, as
 * {value, origin}. */
static const char ORIGINS[] = "lunet.origins";

static void failure_push_origins(lua_State *L) {
  if (luaL_getsubtable(L, LUA_REGISTRYINDEX, ORIGINS)) return;
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

void failure_remember(lua_State *L, int index) {
  index = lua_absindex(L, index);
  failure_push_origins(L);
  lua_pushthread(L);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -4); /* the text */
  lua_rawseti(L, -2, 2);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

void failure_push_origin(lua_State *L, int index) {
  index = lua_absindex(L, index);
  bool is_same = false;
  failure_push_origins(L);
  lua_pushthread(L);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_rawgeti(L, -1, 1);
    is_same = lua_rawequal(L, -1, index);
    lua_pop(L, 1);
  }
  if (is_same)
    lua_rawgeti(L, -1, 2);
  else
    lua_pushliteral(L, "");
  lua_insert(L, -3);
  lua_pop(L, 2);
}

/* Pushes the known origin, followed by "\nstack traceback: ..." of the running function. */
static void failure_push_origin_and_traceback(lua_State *L, int index) {
  failure_push_origin(L, index);
  lua_pushliteral(L, "\n");
  luaL_traceback(L, L, NULL, 1);
  lua_concat(L, 3);
}

int failure_note(lua_State *L) {
  failure_push_canceled(L);
  bool is_canceled = lua_rawequal(L, -1, 1);
  lua_settop(L, 1);
  if (is_canceled) return 1; /* not a failure: nobody will read its origin */
  failure_push_origin_and_traceback(L, 1);
  failure_remember(L, 1);
  lua_settop(L, 1);
  return 1;
}

int failure_traceback(lua_State *L) {
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER ||
      luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL)
    luaL_tolstring(L, 1, NULL);
  else
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  failure_push_origin_and_traceback(L, 1);
  lua_concat(L, 2);
  return 1;
}
