#include "binding/connect.h"

#include <lauxlib.h>
#include <netinet/in.h>

#include "binding/address.h"
#include "binding/box.h"
#include "binding/connection.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/listener.h"
#include "binding/misuse.h"
#include "binding/target.h"
#include "binding/task.h"

/* The stack during a connect. */
enum { HOST = 1, TARGET, TIMEOUT, CONNECTION, ATTEMPT };

struct connect {
  address peer; /* connects to this address */
  address from; /* from this one, if has_from */
  bool has_from;
  const char *label;
  int protocol; /* 0 or SOCKET_MPTCP */
  struct target_options options;
  bool is_from_refused, is_protocol_refused;
};

/* -- the socket ---------------------------------------------------------------------------- */

static int connect_bind_from(int fd, address *from) {
  int one = 1, result = socket_find_zone(fd, from);
  if (result < 0) return result;
  /* Without a port, let the kernel choose it in connect(2): once it knows the peer, one port can
   * serve many peers (ip(7), IP_BIND_ADDRESS_NO_PORT). */
  if (address_port(from) == 0)
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  return socket_bind(fd, from);
}

/* Returns a socket, or a negative errno. */
static int connect_open_socket(struct connect *what, const host *h) {
  int fd = host_socket(h, address_family(&what->peer), what->protocol);
  what->is_protocol_refused = fd < 0 && what->protocol != 0;
  if (fd < 0) return fd;
  int result = target_set_options(&what->options, fd);
  if (result == 0 && what->has_from) {
    result = connect_bind_from(fd, &what->from);
    what->is_from_refused = result < 0;
  }
  if (result == 0) result = socket_find_zone(fd, &what->peer);
  if (result == 0) return fd;
  socket_close(fd);
  return result;
}

static int connect_open(lua_State *L, struct connect *what, connection **box) {
  const host *h = host_or_home(L, HOST);
  int fd = connect_open_socket(what, h);
  if (fd < 0) return fd;
  struct place p = host_place(L, h, what->label);
  int result = connection_open(task_loop(L), &p, fd, box);
  if (result < 0)
    socket_close(fd);
  else if (what->protocol == SOCKET_MPTCP)
    connection_of_mptcp(*box);
  return result;
}

static const char *connect_push_attempt(lua_State *L, const address *peer) {
  char text[ADDRESS_TEXT];
  return lua_pushfstring(L, "connect to %s", address_format(peer, text));
}

static int connect_push_not_opened(lua_State *L, int result, const struct connect *what) {
  char text[ADDRESS_TEXT];
  const char *tried = NULL;
  if (what->options.refused != NULL)
    tried = target_push_refused(L, TARGET, &what->options);
  else if (what->is_protocol_refused)
    tried = "protocol mptcp";
  else if (what->is_from_refused)
    tried = lua_pushfstring(L, "from %s", address_format(&what->from, text));
  else
    tried = connect_push_attempt(L, &what->peer);
  return failure_push(L, result, tried);
}

/* A Unix socket does not know the peer that it failed to reach, so connect_to has pushed ATTEMPT.
 */
static int connect_push(lua_State *L, op *o) {
  connection *c = box_check(L, CONNECTION, CONNECTION_TYPE);
  if (o->result >= 0) {
    lua_pushvalue(L, CONNECTION);
    connection_anchor(L);
    return 1;
  }
  if (lua_gettop(L) < ATTEMPT) {
    address peer;
    connection_peer(c, &peer);
    connect_push_attempt(L, &peer);
  }
  handle_close(c);
  return failure_push(L, o->result, lua_tostring(L, ATTEMPT));
}

/* -- the target ---------------------------------------------------------------------------- */

/* For a listener on another host that can be reached, the Lua library has passed its address
 * instead. */
static void connect_check_listener(lua_State *L, const listener *l) {
  const host *h = host_or_home(L, HOST);
  if (address_family(listener_address(l)) == AF_UNIX || listener_host(l) == host_number(h)) return;
  misuse(L, "the listener is on another host, which shares no network with %s",
         h == NULL ? "the home host" : host_name(h));
}

/* Reads a string or a listener at `index`. False: the value is neither. */
static bool connect_simple_peer(lua_State *L, int index, address *out) {
  const listener *l = listener_test(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    address_read(L, "target", field_check_text(L, index, "target"), out);
    return true;
  }
  if (l == NULL) return false;
  connect_check_listener(L, l);
  *out = *listener_address(l);
  address_reachable(out);
  return true;
}

/* [1] is the whole target. Refuses a field that would name another one. */
static void connect_refuse_second(lua_State *L, int index, const char *field) {
  if (lua_getfield(L, index, field) != LUA_TNIL)
    misuse(L, "%s: [1] already gives the target", field);
  lua_pop(L, 1);
}

static void connect_peer(lua_State *L, int index, address *out) {
  if (connect_simple_peer(L, index, out)) return;
  if (lua_type(L, index) != LUA_TTABLE)
    misuse(L, "a listener, a table or an address expected, like %s; not %s", ADDRESS_EXAMPLES,
           luaL_typename(L, index));
  lua_rawgeti(L, index, 1);
  if (!lua_isnil(L, -1)) {
    if (!connect_simple_peer(L, lua_gettop(L), out))
      misuse(L, "[1]: a listener or an address expected, not %s", luaL_typename(L, -1));
    lua_pop(L, 1);
    connect_refuse_second(L, index, "address");
    connect_refuse_second(L, index, "port");
    return;
  }
  lua_pop(L, 1);
  address_read_fields(L, index, "127.0.0.1", 1, out);
}

static bool connect_from(lua_State *L, int index, address *out) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  const char *text = field_get_string(L, index, "from", NULL);
  if (text == NULL) return false;
  if (address_make(text, 0, out) < 0) address_read(L, "from", text, out);
  if (address_family(out) == AF_UNIX) misuse(L, "from: a Unix client has no address to choose");
  return true;
}

static void connect_read_target(lua_State *L, struct connect *out) {
  static const char *const fields[] = {"[1]", "address", "port", "from", "label", "protocol", NULL};
  *out = (struct connect){.label = NULL};
  bool is_table = lua_istable(L, TARGET);
  if (is_table) field_copy_table(L, TARGET);
  connect_peer(L, TARGET, &out->peer);
  if (!is_table) return;
  target_check_names(L, TARGET, fields, 1);
  out->protocol = target_read_protocol(L, TARGET, &out->peer);
  out->has_from = connect_from(L, TARGET, &out->from);
  out->label = field_get_string(L, TARGET, "label", NULL);
  target_read_options(L, TARGET, &out->options);
}

int connect_to(lua_State *L) {
  struct connect what;
  lua_settop(L, TIMEOUT);
  uint64_t deadline_ns = timeout_argument(L, TIMEOUT);
  connect_read_target(L, &what);
  connection **box = connection_new(L);
  if (address_family(&what.peer) == AF_UNIX) connect_push_attempt(L, &what.peer);
  task_check(L);
  int result = connect_open(L, &what, box);
  if (result < 0) return connect_push_not_opened(L, result, &what);
  op *o = task_start(L, deadline_ns);
  connection_connect(*box, &what.peer, o);
  return task_wait(L, o, connect_push);
}
