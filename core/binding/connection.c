#include "binding/connection.h"

#include <errno.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/listener.h"
#include "binding/misuse.h"
#include "binding/runtime.h"
#include "binding/target.h"
#include "binding/timeout.h"
#include "binding/type.h"
#include "platform/tcp_info.h"

const char CONNECTION_TYPE[] = "lunet.connection";

static connection *connection_self(lua_State *L) { return box_check(L, 1, CONNECTION_TYPE); }
static connection *connection_open_self(lua_State *L) { return box_check_open(L, CONNECTION_TYPE); }

connection **connection_new(lua_State *L) { return type_new_box(L, CONNECTION_TYPE, 0); }

void connection_anchor(lua_State *L) {
  anchor_add(L, -1, runtime_of(L), box_check(L, -1, CONNECTION_TYPE));
}

int connection_push_address(lua_State *L, const address *a) {
  char text[ADDRESS_TEXT];
  lua_pushstring(L, address_format(a, text));
  if (address_family(a) == AF_UNIX) return 1;
  lua_pushinteger(L, address_port(a));
  return 2;
}

/* -- lunet.connect(target, timeout) -------------------------------------------------------- */

/* The stack of a connect. */
enum { TARGET = 1, TIMEOUT, HOST, CONNECTION, ATTEMPT };

/* Where to, from where, and how. */
struct connect {
  address peer, from;
  bool has_from;
  const char *label;
  struct target_options options;
  const char *failed_at; /* "socket", "option", "from", "zone", "connect" */
};

static int bind_from(int fd, address *from) {
  int one = 1, result = socket_find_zone(fd, from);
  if (result < 0) return result;
  /* Without a port of its own, the kernel chooses one when it knows the peer, so that a port serves
   * many peers: ip(7), IP_BIND_ADDRESS_NO_PORT. */
  if (address_port(from) == 0)
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  return socket_bind(fd, from);
}

/* A socket, or a negative errno and what it failed at. */
static int open_socket(struct connect *what, const host *h) {
  what->failed_at = "socket";
  int fd = host_socket(h, address_family(&what->peer));
  if (fd < 0) return fd;
  what->failed_at = "option";
  int result = target_set_options(&what->options, fd);
  if (result == 0 && what->has_from) {
    what->failed_at = "from";
    result = bind_from(fd, &what->from);
  }
  if (result == 0) {
    what->failed_at = "zone";
    result = socket_find_zone(fd, &what->peer);
  }
  if (result == 0) return fd;
  socket_close(fd);
  return result;
}

static int open_connection(struct connect *what, const host *h, task *t, connection **box) {
  int fd = open_socket(what, h);
  if (fd < 0) return fd;
  what->failed_at = "connect";
  struct place p = host_place(t->rt, h, what->label);
  int result = connection_open(t->op.lp, &p, fd, box);
  if (result < 0) socket_close(fd);
  return result;
}

static const char *push_attempt(lua_State *L, const address *peer) {
  char text[ADDRESS_TEXT];
  return lua_pushfstring(L, "connect to %s", address_format(peer, text));
}

static int push_not_opened(lua_State *L, int result, const struct connect *what) {
  char text[ADDRESS_TEXT];
  const char *tried = what->failed_at;
  if (strcmp(tried, "option") == 0) tried = target_push_refused(L, TARGET, &what->options);
  if (strcmp(tried, "zone") == 0) tried = push_attempt(L, &what->peer);
  if (strcmp(tried, "from") == 0)
    tried = lua_pushfstring(L, "from %s", address_format(&what->from, text));
  return failure_push(L, result, tried);
}

/* A Unix socket does not know whom it failed to reach: what was tried is on the stack. */
static int push_connected(lua_State *L, op *o) {
  connection *c = box_check(L, CONNECTION, CONNECTION_TYPE);
  if (o->result >= 0) {
    lua_pushvalue(L, CONNECTION);
    connection_anchor(L);
    return 1;
  }
  if (lua_gettop(L) < ATTEMPT) {
    address peer;
    connection_peer(c, &peer);
    push_attempt(L, &peer);
  }
  handle_close(c);
  return failure_push(L, o->result, lua_tostring(L, ATTEMPT));
}

/* The Lua library has found the address of a listener on another host, if it can be reached. */
static void check_listener(lua_State *L) {
  if (lua_istable(L, TARGET))
    lua_rawgeti(L, TARGET, 1);
  else
    lua_pushvalue(L, TARGET);
  const listener *l = listener_test(L, -1);
  bool is_tcp = l != NULL && address_family(listener_address(l)) != AF_UNIX;
  const host *h = host_or_home(L, HOST);
  if (is_tcp && listener_host(l) != host_number(h))
    misuse(L, "the listener is on another host, which shares no network with %s",
           h == NULL ? "the home host" : host_name(h));
  lua_pop(L, 1);
}

static void read_target(lua_State *L, struct connect *out) {
  static const char *const fields[] = {"[1]", "address", "port", "from", "label", NULL};
  *out = (struct connect){.label = NULL};
  bool is_table = lua_istable(L, TARGET);
  if (is_table) field_copy_table(L, TARGET);
  target_peer(L, TARGET, &out->peer);
  check_listener(L);
  if (!is_table) return;
  target_check(L, TARGET, fields);
  out->has_from = target_from(L, TARGET, &out->from);
  out->label = target_string(L, TARGET, "label", NULL);
  target_read_options(L, TARGET, &out->options);
}

int connection_to_from(lua_State *L) {
  struct connect what;
  uint64_t deadline_ns = timeout_argument(L, TIMEOUT);
  read_target(L, &what);
  connection **box = connection_new(L);
  if (address_family(&what.peer) == AF_UNIX) push_attempt(L, &what.peer);
  const host *h = host_or_home(L, HOST);
  task *t = task_begin(L, deadline_ns);
  int result = open_connection(&what, h, t, box);
  if (result < 0) {
    t->op.state = OP_IDLE;
    return push_not_opened(L, result, &what);
  }
  connection_connect(*box, &what.peer, &t->op);
  return task_wait(L, t, push_connected);
}

int connection_to(lua_State *L) {
  lua_settop(L, TIMEOUT);
  lua_pushnil(L);
  return connection_to_from(L);
}

/* -- sending and receiving ----------------------------------------------------------------- */

static int push_sent(lua_State *L, op *o) {
  if (o->result < 0) {
    failure_push(L, o->result, "send");
    lua_pushinteger(L, (lua_Integer)o->as.send.sent);
    return 4;
  }
  lua_pushinteger(L, (lua_Integer)o->result);
  return 1;
}

static int send_data(lua_State *L) {
  size_t length;
  connection *c = connection_self(L);
  const char *data = luaL_checklstring(L, 2, &length);
  uint64_t deadline_ns = timeout_argument(L, 3);
  task *t = task_begin(L, deadline_ns);
  t->op.as.send.data = data;
  t->op.as.send.length = length;
  t->op.as.send.sent = 0;
  if (box_has(c, &t->op)) connection_send(c, &t->op);
  return task_wait_holding(L, t, 2, push_sent);
}

static int push_received(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "receive");
  lua_pushlstring(L, o->as.receive.data, (size_t)o->result);
  if (o->as.receive.cut == 0) return 1;
  failure_push(L, o->as.receive.cut, "receive");
  lua_remove(L, -3); /* the bytes instead of its nil */
  return 3;
}

static int refuse_what(lua_State *L) {
  return luaL_argerror(L, 2,
                       "\"l\", \"L\", \"a\", a number of bytes (0 or more) or nothing expected");
}

static enum receive_what what_argument(lua_State *L, size_t *want) {
  *want = 0;
  if (lua_isnoneornil(L, 2)) return RECEIVE_SOME;
  if (lua_type(L, 2) == LUA_TNUMBER) {
    int is_integer;
    lua_Integer bytes = lua_tointegerx(L, 2, &is_integer);
    if (!is_integer || bytes < 0) refuse_what(L);
    *want = (size_t)bytes;
    return RECEIVE_EXACTLY;
  }
  const char *what = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(what, "l") == 0) return RECEIVE_LINE;
  if (strcmp(what, "L") == 0) return RECEIVE_LINE_KEPT;
  if (strcmp(what, "a") == 0) return RECEIVE_ALL;
  refuse_what(L);
  return RECEIVE_SOME;
}

static int receive_data(lua_State *L) {
  size_t want;
  connection *c = connection_self(L);
  enum receive_what what = what_argument(L, &want);
  uint64_t deadline_ns = timeout_argument(L, 3);
  task *t = task_begin(L, deadline_ns);
  t->op.as.receive.what = what;
  t->op.as.receive.want = want;
  if (box_has(c, &t->op)) connection_receive(c, &t->op);
  return task_wait(L, t, push_received);
}

static int ended(lua_State *L) {
  connection *c = connection_self(L);
  int code = c == NULL ? OP_CLOSED : connection_ended(c);
  if (code == 0)
    lua_pushboolean(L, 0);
  else
    lua_pushstring(L, failure_name(code));
  return 1;
}

/* -- ending it ----------------------------------------------------------------------------- */

int connection_how(lua_State *L, int index, int default_how) {
  static const char *const names[] = {[SHUT_RD] = "rd", [SHUT_WR] = "wr", [SHUT_RDWR] = "rdwr"};
  if (lua_isnoneornil(L, index) && default_how != -1) return default_how;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  for (int how = SHUT_RD; how <= SHUT_RDWR; how++)
    if (strcmp(name, names[how]) == 0) return how;
  const char *expected = default_how == -1 ? "\"rd\", \"wr\" or \"rdwr\" expected"
                                           : "\"rd\", \"wr\", \"rdwr\" or nothing expected";
  return luaL_argerror(L, index, expected);
}

static int shut(lua_State *L) {
  connection_self(L);
  int how = connection_how(L, 2, SHUT_WR);
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : failure_push_result(L, connection_shutdown(c, how), "shutdown");
}

static int reset(lua_State *L) {
  connection *c = connection_open_self(L);
  return c == NULL ? 3 : failure_push_result(L, connection_reset(c), "reset");
}

/* -- looking at it ------------------------------------------------------------------------- */

static int state(lua_State *L) {
  const char *name;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = socket_state(connection_descriptor(c), &name);
  if (result < 0) return failure_push(L, result, "state");
  lua_pushstring(L, name);
  return 1;
}

int connection_push_info(lua_State *L, const struct tcp_info_memory *values) {
  lua_createtable(L, 0, 64);
  for (const struct tcp_info_field *f = tcp_info_fields; f->name != NULL; f++) {
    if (f->offset + f->size > values->length) break; /* this kernel knows no more */
    lua_pushinteger(L, (lua_Integer)tcp_info_value(values, f));
    lua_setfield(L, -2, f->name);
  }
  return 1;
}

static int info(lua_State *L) {
  struct tcp_info_memory values;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = tcp_info_copy(connection_descriptor(c), &values);
  return result < 0 ? failure_push(L, result, "info") : connection_push_info(L, &values);
}

static int liveness(lua_State *L) {
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

static int unread(lua_State *L) {
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int bytes = socket_unread(connection_descriptor(c));
  if (bytes < 0) return failure_push(L, bytes, "unread");
  lua_pushinteger(L, bytes);
  lua_pushinteger(L, (lua_Integer)connection_held(c));
  return 2;
}

static int unsent(lua_State *L) {
  int never_sent;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int bytes = socket_unsent(connection_descriptor(c), &never_sent);
  if (bytes < 0) return failure_push(L, bytes, "unsent");
  lua_pushinteger(L, bytes);
  lua_pushinteger(L, never_sent);
  return 2;
}

static int local_address(lua_State *L) {
  address local;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  int result = connection_local(c, &local);
  return result < 0 ? failure_push(L, result, "address") : connection_push_address(L, &local);
}

static int peer_address(lua_State *L) {
  address peer;
  connection *c = connection_open_self(L);
  if (c == NULL) return 3;
  connection_peer(c, &peer);
  return connection_push_address(L, &peer);
}

static const luaL_Reg methods[] = {
  {"send", send_data}, {"receive", receive_data},  {"ended", ended},
  {"shutdown", shut},  {"reset", reset},           {"state", state},
  {"info", info},      {"liveness", liveness},     {"unread", unread},
  {"unsent", unsent},  {"address", local_address}, {"peer", peer_address},
  {NULL, NULL},
};

void connection_open_type(lua_State *L) { box_open_type(L, CONNECTION_TYPE, methods, NULL); }
