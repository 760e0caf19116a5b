#include "binding/listener.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>

#include "binding/address.h"
#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/misuse.h"
#include "binding/option.h"
#include "binding/target.h"
#include "binding/task.h"
#include "binding/type.h"
#include "platform/socket.h"

const char LISTENER_TYPE[] = "lunet.listener";

static listener *listener_self(lua_State *L) { return box_check(L, 1, LISTENER_TYPE); }
static listener *listener_open_self(lua_State *L) { return box_check_open(L, LISTENER_TYPE); }

listener *listener_test(lua_State *L, int index) {
  listener **box = type_test(L, index, LISTENER_TYPE);
  return box == NULL ? NULL : *box;
}

int listener_is_listener(lua_State *L) {
  lua_pushboolean(L, type_test(L, 1, LISTENER_TYPE) != NULL);
  return 1;
}

/* -- lunet.listen -------------------------------------------------------------------------- */

/* The stack during a listen. */
enum { HOST = 1, TARGET };

struct listen {
  address local;
  int backlog;
  const char *label;
  int protocol; /* 0 or SOCKET_MPTCP */
  bool is_protocol_refused;
  struct target_options options;
};

/* Returns a bound socket, or a negative errno. */
static int listener_open_bound(struct listen *what, const host *h) {
  int fd = host_socket(h, address_family(&what->local), what->protocol);
  what->is_protocol_refused = fd < 0 && what->protocol != 0;
  if (fd < 0) return fd;
  int result = target_set_options(&what->options, fd);
  if (result == 0) result = socket_find_zone(fd, &what->local);
  if (result == 0) result = socket_bind(fd, &what->local);
  if (result == 0) return fd;
  socket_close(fd);
  return result;
}

static int listener_open_on(lua_State *L, struct listen *what, const host *h, listener **box) {
  int fd = listener_open_bound(what, h);
  if (fd < 0) return fd;
  struct place p = host_place(L, h, what->label);
  int result = listener_open(task_loop(L), &p, fd, what->backlog, box);
  if (result < 0) socket_close(fd);
  return result;
}

static int listener_push_not_opened(lua_State *L, int result, const struct listen *what) {
  char text[ADDRESS_TEXT];
  const char *tried = "protocol mptcp";
  if (what->options.refused != NULL)
    tried = target_push_refused(L, TARGET, &what->options);
  else if (!what->is_protocol_refused)
    tried = lua_pushfstring(L, "listen on %s", address_format(&what->local, text));
  return failure_push(L, result, tried);
}

/* Like most servers, a listener can take a port whose last connections are in TIME_WAIT. Two
 * listeners still cannot share a port. */
static void listener_default_reuseaddr(lua_State *L) {
  if (lua_getfield(L, TARGET, "reuseaddr") == LUA_TNIL) {
    lua_pushboolean(L, 1);
    lua_setfield(L, TARGET, "reuseaddr");
  }
  lua_pop(L, 1);
}

static void listener_read_target(lua_State *L, struct listen *out) {
  static const char *const fields[] = {"address", "port", "backlog", "label", "protocol", NULL};
  if (!lua_istable(L, TARGET)) misuse(L, "a table expected, not %s", luaL_typename(L, TARGET));
  field_copy_table(L, TARGET);
  target_check_names(L, TARGET, fields, 0);
  out->backlog = field_get_integer(L, TARGET, "backlog", 0, INT_MAX, -1);
  out->label = field_get_string(L, TARGET, "label", NULL);
  address_read_fields(L, TARGET, lua_isnil(L, HOST) ? "127.0.0.1" : "0.0.0.0", 0, &out->local);
  out->protocol = target_read_protocol(L, TARGET, &out->local);
  listener_default_reuseaddr(L);
  target_read_options(L, TARGET, &out->options);
}

int listener_listen(lua_State *L) {
  struct listen what;
  lua_settop(L, TARGET);
  listener_read_target(L, &what);
  listener **box = type_new_box(L, LISTENER_TYPE, 0);
  int result = listener_open_on(L, &what, host_or_home(L, HOST), box);
  if (result < 0) return listener_push_not_opened(L, result, &what);
  anchor_add(L, -1, *box);
  return 1;
}

/* -- methods ------------------------------------------------------------------------------- */

/* The stack: the listener, the timeout, the connection. */
static int listener_push_accepted(lua_State *L, op *o) {
  if (o->result < 0) return failure_push(L, o->result, "accept");
  lua_pushvalue(L, 3);
  connection_anchor(L);
  return 1;
}

static int listener_accept_one(lua_State *L) {
  listener *l = listener_self(L);
  uint64_t deadline_ns = timeout_argument(L, 2);
  lua_settop(L, 2);
  connection **box = connection_new(L);
  op *o = task_begin(L, deadline_ns);
  if (box_has(l, o)) listener_accept(l, task_scope(L), box, o);
  return task_wait_holding(L, o, 3, listener_push_accepted);
}

/* False: the argument is absent. */
static bool listener_gate_argument(lua_State *L, int index, uint32_t *out) {
  if (lua_isnoneornil(L, index)) return false;
  lua_Number limit = luaL_checknumber(L, index);
  bool is_count = limit >= 0 && limit == floor(limit);
  luaL_argcheck(L, is_count, index, "a whole number of connections, 0 or more, or math.huge");
  *out = limit < GATE_OPEN ? (uint32_t)limit : GATE_OPEN;
  return true;
}

static int listener_limit_gate(lua_State *L) {
  uint32_t limit;
  listener_self(L);
  bool is_given = listener_gate_argument(L, 2, &limit);
  listener *l = listener_open_self(L);
  if (l == NULL) return 3;
  if (is_given) listener_set_gate(l, limit);
  limit = gate_limit(listener_gate(l));
  if (limit == GATE_OPEN)
    lua_pushnumber(L, HUGE_VAL);
  else
    lua_pushinteger(L, limit);
  lua_pushinteger(L, gate_count(listener_gate(l)));
  return 2;
}

static int listener_push_queue(lua_State *L) {
  uint32_t depth, limit, drops;
  listener *l = listener_open_self(L);
  if (l == NULL) return 3;
  int result = listener_queue(l, &depth, &limit);
  if (result < 0) return failure_push(L, result, "queue");
  bool has_drops = listener_drops(l, &drops) == 0;
  lua_createtable(L, 0, 3);
  field_set_integer(L, "depth", depth);
  field_set_integer(L, "limit", limit);
  if (has_drops) field_set_integer(L, "drops", drops);
  return 1;
}

static int listener_change_backlog(lua_State *L) {
  listener_self(L);
  lua_Integer backlog = luaL_checkinteger(L, 2);
  luaL_argcheck(L, backlog >= 0 && backlog <= INT_MAX, 2, "a backlog is a whole number, 0 or more");
  listener *l = listener_open_self(L);
  if (l == NULL) return 3;
  return failure_push_result(L, listener_resize(l, (int)backlog), "resize");
}

static int listener_shut(lua_State *L) {
  listener_self(L);
  int how = connection_how(L, 2, -1);
  listener *l = listener_open_self(L);
  return l == NULL ? 3 : failure_push_result(L, listener_shutdown(l, how), "shutdown");
}

static int listener_set(lua_State *L) {
  struct target_options options;
  listener_self(L);
  option_read_table(L, &options);
  listener *l = listener_open_self(L);
  if (l == NULL) return 3;
  int result = target_set_options(&options, listener_descriptor(l));
  listener_was_set(l, option_push_words(L, &options), result);
  return option_push_set(L, &options, result);
}

static int listener_get(lua_State *L) {
  listener_self(L);
  option_read_names(L);
  listener *l = listener_open_self(L);
  return l == NULL ? 3 : option_push_values(L, listener_descriptor(l));
}

static int listener_local_address(lua_State *L) {
  listener *l = listener_open_self(L);
  return l == NULL ? 3 : address_push(L, listener_address(l));
}

static const luaL_Reg methods[] = {
  {"accept", listener_accept_one},
  {"gate", listener_limit_gate},
  {"queue", listener_push_queue},
  {"resize", listener_change_backlog},
  {"shutdown", listener_shut},
  {"set", listener_set},
  {"get", listener_get},
  {"address", listener_local_address},
  {NULL, NULL},
};

void listener_open_type(lua_State *L) { box_open_type(L, LISTENER_TYPE, methods, NULL); }
