#include "binding/connection.h"

#include <lauxlib.h>
#include <string.h>

#include "binding/address.h"
#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/option.h"
#include "binding/task.h"
#include "binding/tcp_info.h"
#include "binding/type.h"

const char CONNECTION_TYPE[] = "lunet.connection";

static connection *connection_self(lua_State *L) { return box_check(L, 1, CONNECTION_TYPE); }
static connection *connection_open_self(lua_State *L) { return box_check_open(L, CONNECTION_TYPE); }

connection **connection_new(lua_State *L) { return type_new_box(L, CONNECTION_TYPE, 0); }

void connection_anchor(lua_State *L) { anchor_add(L, -1, box_check(L, -1, CONNECTION_TYPE)); }

/* -- sending and receiving ----------------------------------------------------------------- */

static int connection_push_sent(lua_State *L, op *o) {
  if (o->result < 0) {
    failure_push(L, o->result, "send");
    lua_pushinteger(L, (lua_Integer)o->as.send.sent);
    return 4;
  }
  lua_pushinteger(L, (lua_Integer)o->result);
  return 1;
}

static int connection_send_data(lua_State *L) {
  size_t length;
  connection *c = connection_self(L);
  const char *data = luaL_checklstring(L, 2, &length);
  uint64_t deadline_ns = timeout_argument(L, 3);
  op *o = task_begin(L, deadline_ns);
  o->as.send.data = data;
  o->as.send.length = length;
  o->as.send.sent = 0;
  if (box_has(c, o)) connection_send(c, o);
  return task_wait_holding(L, o, 2, connection_push_sent);
}

static int connection_push_received(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "receive");
  lua_pushlstring(L, o->as.receive.data, (size_t)o->result);
  if (o->as.receive.cut == 0) return 1;
  failure_push(L, o->as.receive.cut, "receive");
  lua_remove(L, -3); /* the bytes take the place of nil */
  return 3;
}

static int connection_refuse_what(lua_State *L) {
  return luaL_argerror(L, 2,
                       "\"l\", \"L\", \"a\", a number of bytes (0 or more) or nothing expected");
}

/* Whether the argument is a number of bytes. */
static bool connection_is_count(lua_State *L, int index, size_t *count) {
  int is_integer;
  lua_Integer bytes = lua_tointegerx(L, index, &is_integer);
  if (lua_type(L, index) != LUA_TNUMBER || !is_integer || bytes < 0) return false;
  *count = (size_t)bytes;
  return true;
}

static enum receive_what connection_what_argument(lua_State *L, size_t *want) {
  *want = 0;
  if (lua_isnoneornil(L, 2)) return RECEIVE_SOME;
  if (connection_is_count(L, 2, want)) return RECEIVE_EXACTLY;
  const char *what = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(what, "l") == 0) return RECEIVE_LINE;
  if (strcmp(what, "L") == 0) return RECEIVE_LINE_KEPT;
  if (strcmp(what, "a") == 0) return RECEIVE_ALL;
  connection_refuse_what(L);
  return RECEIVE_SOME;
}

static int connection_receive_data(lua_State *L) {
  size_t want;
  connection *c = connection_self(L);
  enum receive_what what = connection_what_argument(L, &want);
  uint64_t deadline_ns = timeout_argument(L, 3);
  op *o = task_begin(L, deadline_ns);
  o->as.receive.what = what;
  o->as.receive.want = want;
  if (box_has(c, o)) connection_receive(c, o);
  return task_wait(L, o, connection_push_received);
}

static int connection_push_discarded(lua_State *L, op *o) {
  if (o->result < 0) failure_push(L, o->result, "discard");
  lua_pushinteger(L, (lua_Integer)o->as.receive.taken);
  return o->result < 0 ? 4 : 1;
}

static int connection_discard_data(lua_State *L) {
  size_t want = 0;
  connection *c = connection_self(L);
  bool is_all = lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "a") == 0;
  if (!is_all && !connection_is_count(L, 2, &want))
    return luaL_argerror(L, 2, "\"a\" or a number of bytes (0 or more) expected");
  uint64_t deadline_ns = timeout_argument(L, 3);
  op *o = task_begin(L, deadline_ns);
  o->as.receive.what = is_all ? DISCARD_ALL : DISCARD_EXACTLY;
  o->as.receive.want = want;
  o->as.receive.taken = 0;
  if (box_has(c, o)) connection_receive(c, o);
  return task_wait(L, o, connection_push_discarded);
}

static int connection_push_end(lua_State *L) {
  connection *c = connection_self(L);
  int code = c == NULL ? OP_CLOSED : connection_ended(c);
  if (code == 0)
    lua_pushboolean(L, 0);
  else
    lua_pushstring(L, failure_name(code));
  return 1;
}

/* -- shutting down and resetting ----------------------------------------------------------- */

const char *const connection_hows[] = {[SHUT_RD] = "rd", [SHUT_WR] = "wr", [SHUT_RDWR] = "rdwr"};

int connection_how(lua_State *L, int index, int default_how) {
  if (lua_isnoneornil(L, index) && default_how != -1) return default_how;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  for (int how = SHUT_RD; how <= SHUT_RDWR; how++)
    if (strcmp(name, connection_hows[how]) == 0) return how;
  const char *expected = default_how == -1 ? "\"rd\", \"wr\" or \"rdwr\" expected"
                                           : "\"rd\", \"wr\", \"rdwr\" or nothing expected";
  return luaL_argerror(L, index, expected);
}

static int connection_shut(lua_State *L) {
  connection_self(L);
  int how = connection_how(L, 2, SHUT_WR);
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : failure_push_result(L, connection_shutdown(c, how), "shutdown");
}

static int connection_dissolve_now(lua_State *L) {
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : failure_push_result(L, connection_dissolve(c), "dissolve");
}

static int connection_reset_now(lua_State *L) {
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : failure_push_result(L, connection_reset(c), "reset");
}

/* -- options ------------------------------------------------------------------------------- */

static int connection_set(lua_State *L) {
  struct target_options options;
  connection_self(L);
  option_read_table(L, &options);
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = target_set_options(&options, connection_descriptor(c));
  connection_was_set(c, option_push_words(L, &options), result);
  return option_push_set(L, &options, result);
}

static int connection_get(lua_State *L) {
  connection_self(L);
  option_read_names(L);
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : option_push_values(L, connection_descriptor(c));
}

/* -- state, bytes and addresses ------------------------------------------------------------ */

static int connection_state(lua_State *L) {
  const char *name;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = socket_state(connection_descriptor(c), &name);
  if (result < 0) return failure_push(L, result, "state");
  lua_pushstring(L, name);
  return 1;
}

static int connection_info(lua_State *L) {
  struct tcp_info_memory values;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = tcp_info_copy(connection_descriptor(c), &values);
  return result < 0 ? failure_push(L, result, "info") : tcp_info_push(L, &values);
}

static int connection_push_liveness(lua_State *L) {
  static const char *const names[] = {
    [LIVENESS_OPEN] = "open", [LIVENESS_FIN] = "fin", [LIVENESS_RESET] = "reset"};
  enum liveness found;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = connection_liveness(c, &found);
  if (result < 0) return failure_push(L, result, "liveness");
  lua_pushstring(L, names[found]);
  return 1;
}

static int connection_unread(lua_State *L) {
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int bytes = socket_unread(connection_descriptor(c));
  if (bytes < 0) return failure_push(L, bytes, "unread");
  lua_pushinteger(L, bytes);
  lua_pushinteger(L, (lua_Integer)connection_held(c));
  return 2;
}

static int connection_unsent(lua_State *L) {
  int never_sent;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int bytes = socket_unsent(connection_descriptor(c), &never_sent);
  if (bytes < 0) return failure_push(L, bytes, "unsent");
  lua_pushinteger(L, bytes);
  lua_pushinteger(L, never_sent);
  return 2;
}

static int connection_local_address(lua_State *L) {
  address local;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = connection_local(c, &local);
  return result < 0 ? failure_push(L, result, "address") : address_push(L, &local);
}

static int connection_peer_address(lua_State *L) {
  address peer;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  connection_peer(c, &peer);
  return address_push(L, &peer);
}

static const luaL_Reg methods[] = {
  {"send", connection_send_data},
  {"receive", connection_receive_data},
  {"discard", connection_discard_data},
  {"ended", connection_push_end},
  {"shutdown", connection_shut},
  {"reset", connection_reset_now},
  {"dissolve", connection_dissolve_now},
  {"set", connection_set},
  {"get", connection_get},
  {"state", connection_state},
  {"info", connection_info},
  {"liveness", connection_push_liveness},
  {"unread", connection_unread},
  {"unsent", connection_unsent},
  {"address", connection_local_address},
  {"peer", connection_peer_address},
  {NULL, NULL},
};

void connection_open_type(lua_State *L) { box_open_type(L, CONNECTION_TYPE, methods, NULL); }
