#include "binding/sockets.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "binding/address.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/listener.h"
#include "binding/memory.h"
#include "binding/misuse.h"
#include "binding/tcp_info.h"
#include "platform/sock_destroy.h"
#include "platform/sock_diag.h"
#include "platform/unix_listeners.h"

/* -- the filter ---------------------------------------------------------------------------- */

enum { HOST = 1, FILTER };

static const char *const sockets_fields[] = {
  "state", "port", "local_port", "peer_port", "peer_address", "owned", "listener", "info", NULL};

static int sockets_refuse_state(lua_State *L, int index) {
  luaL_Buffer known;
  const char *given = luaL_tolstring(L, index, NULL);
  luaL_buffinit(L, &known);
  for (uint8_t number = 0; number < 32; number++) {
    if (!(SOCK_DIAG_STATES & 1u << number)) continue;
    if (luaL_bufflen(&known) > 0) luaL_addstring(&known, ", ");
    luaL_addstring(&known, tcp_state_name(number));
  }
  luaL_pushresult(&known);
  return misuse(L, "state: no socket is listed as '%s' (known: %s)", given, lua_tostring(L, -1));
}

/* The bit of the state whose name is on the top of the stack. */
static uint32_t sockets_state_bit(lua_State *L) {
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (uint8_t number = 0; number < 32; number++)
    if ((SOCK_DIAG_STATES & 1u << number) && strcmp(tcp_state_name(number), name) == 0)
      return 1u << number;
  sockets_refuse_state(L, -1);
  return 0;
}

static uint32_t sockets_states(lua_State *L) {
  uint32_t bits = 0;
  int type = lua_getfield(L, FILTER, "state");
  if (type == LUA_TNIL) bits = SOCK_DIAG_STATES;
  if (type != LUA_TNIL && type != LUA_TTABLE) bits = sockets_state_bit(L);
  if (type == LUA_TTABLE) field_copy_table(L, -1);
  lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    bits |= sockets_state_bit(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return bits;
}

/* 1, 0, or -1: not given */
static int sockets_flag(lua_State *L, const char *field) {
  int type = lua_getfield(L, FILTER, field);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    misuse(L, "%s: true or false expected, not %s", field, luaL_typename(L, -1));
  int value = type == LUA_TNIL ? -1 : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Its connections: by its mark. Without one, at its port, and at its address unless that is any. */
static void sockets_narrow_to(lua_State *L, const listener *l, struct sock_diag_filter *f) {
  const address *local = listener_address(l);
  if (f->local_port != 0) misuse(L, "local_port: the listener already gives it");
  f->family = address_family(local);
  if (f->family == AF_UNIX) misuse(L, "listener: a TCP one expected, not one on a Unix path");
  f->local_port = address_port(local);
  f->mark = listener_mark(l);
  if (f->mark == 0 && !address_is_any(local)) f->local = *local;
  f->states &= ~(1u << TCP_STATE_LISTEN);
}

static void sockets_take_listener(lua_State *L, struct sock_diag_filter *f) {
  if (lua_getfield(L, FILTER, "listener") != LUA_TNIL) {
    const listener *l = listener_test(L, -1);
    if (l == NULL)
      misuse(L, "listener: a listener expected, not %s", luaL_typename(L, -1));
    else if (listener_host(l) != host_number(host_or_home(L, HOST)))
      misuse(L, "listener: the listener is on another host");
    else
      sockets_narrow_to(L, l, f);
  }
  lua_pop(L, 1);
}

/* Whether a SYN to the one's address can come to the other, too. */
static bool sockets_overlaps(const address *a, const address *b) {
  if (address_is_any(a) || address_is_any(b)) return true;
  address plain_a = address_plain(a), plain_b = address_plain(b);
  return address_shares(&plain_a, &plain_b, address_bits(&plain_a));
}

/* Whether nobody but the listener can have connections at its address. */
static bool sockets_is_alone(const listener *l) {
  const address *local = listener_address(l);
  struct sock_diag_list found = {NULL, 0, 0};
  struct sock_diag_filter listening = {
    .states = 1u << TCP_STATE_LISTEN, .local_port = address_port(local), .owned = -1};
  bool is_so = listener_is_first(l) && sock_diag_read(-1, &listening, &found) == 0;
  for (size_t i = 0; is_so && i < found.count; i++) {
    const struct tcp_socket *s = &found.sockets[i];
    is_so = s->inode == listener_inode(l) || !sockets_overlaps(local, &s->local);
  }
  sock_diag_free(&found);
  return is_so;
}

/* On the stack of the machine, whose marks lunet leaves alone. */
static bool sockets_is_mistakable(lua_State *L) {
  if (!lua_istable(L, FILTER)) return false;
  lua_getfield(L, FILTER, "listener");
  const listener *l = listener_test(L, -1);
  lua_pop(L, 1);
  return l != NULL && listener_mark(l) == 0 && !sockets_is_alone(l);
}

static int sockets_push_mistakable(lua_State *L) {
  char text[ADDRESS_TEXT];
  lua_getfield(L, FILTER, "listener");
  const address *local = listener_address(listener_test(L, -1));
  lua_pushnil(L);
  lua_pushfstring(L,
                  "sockets: another listener is or was at %s, and on the machine's own stack "
                  "lunet cannot tell their connections apart (ENOTUNIQ)",
                  address_format(local, text));
  lua_pushliteral(L, "ENOTUNIQ");
  return 3;
}

static void sockets_take_peer(lua_State *L, struct sock_diag_filter *f) {
  const char *text = field_get_string(L, FILTER, "peer_address", NULL);
  if (text == NULL) return;
  if (address_parse(text, &f->peer) < 0 || address_port(&f->peer) == 0)
    misuse(L, "peer_address: \"%s\" is not an address like \"10.0.0.1:80\" or \"[fd00::1]:80\"",
           text);
  if (f->peer_port != 0) misuse(L, "peer_port: peer_address already gives it");
  f->peer_port = address_port(&f->peer);
}

static struct sock_diag_filter sockets_filter_argument(lua_State *L) {
  if (lua_isnoneornil(L, FILTER))
    return (struct sock_diag_filter){.states = SOCK_DIAG_STATES, .owned = -1};
  if (!lua_istable(L, FILTER)) misuse(L, "a table expected, not %s", luaL_typename(L, FILTER));
  field_copy_table(L, FILTER);
  field_check_names(L, FILTER, "field", sockets_fields, 0);
  struct sock_diag_filter f = {
    .states = sockets_states(L),
    .local_port = field_get_integer(L, FILTER, "local_port", 1, 65535, 0),
    .peer_port = field_get_integer(L, FILTER, "peer_port", 1, 65535, 0),
    .port = field_get_integer(L, FILTER, "port", 1, 65535, 0),
    .owned = sockets_flag(L, "owned"),
    .wants_info = sockets_flag(L, "info") == 1,
  };
  sockets_take_peer(L, &f);
  sockets_take_listener(L, &f);
  return f;
}

/* -- the list ------------------------------------------------------------------------------ */

static void sockets_set_queue(lua_State *L, const struct tcp_socket *s) {
  lua_createtable(L, 0, 3);
  field_set_integer(L, "depth", s->receive_queue);
  field_set_integer(L, "limit", s->send_queue);
  if (s->drops >= 0) field_set_integer(L, "drops", s->drops);
  lua_setfield(L, -2, "queue");
}

static void sockets_set_ends(lua_State *L, const struct tcp_socket *s) {
  address_set_fields(L, "local_address", "local_port", &s->local);
  if (s->state == TCP_STATE_LISTEN) {
    sockets_set_queue(L, s);
    return;
  }
  address_set_fields(L, "peer_address", "peer_port", &s->peer);
  field_set_integer(L, "receive_queue", s->receive_queue);
  field_set_integer(L, "send_queue", s->send_queue);
}

static void sockets_set_timer(lua_State *L, const struct tcp_socket *s) {
  static const char *const names[] = {
    [SOCK_TIMER_RETRANSMIT] = "retransmit",
    [SOCK_TIMER_KEEPALIVE] = "keepalive",
    [SOCK_TIMER_TIME_WAIT] = "time-wait",
    [SOCK_TIMER_PROBE] = "probe",
  };
  field_set_integer(L, "retransmits", s->retransmits);
  if (s->timer == SOCK_TIMER_NONE || s->timer >= sizeof names / sizeof *names) return;
  field_set_string(L, "timer", names[s->timer]);
  field_set_number(L, "timer_expires", s->expires_ms / 1e3);
}

static void sockets_push_socket(lua_State *L, const struct tcp_socket *s) {
  lua_createtable(L, 0, 16);
  field_set_string(L, "state", tcp_state_name(s->state));
  field_set_string(L, "family", address_family(&s->local) == AF_INET6 ? "ipv6" : "ipv4");
  sockets_set_ends(L, s);
  sockets_set_timer(L, s);
  field_set_boolean(L, "fin", TCP_STATES_AFTER_FIN & 1u << s->state);
  field_set_boolean(L, "owned", s->inode != 0);
  if (s->inode != 0) field_set_integer(L, "inode", s->inode);
  field_set_integer(L, "uid", s->uid);
  if (s->is_mptcp) field_set_boolean(L, "mptcp", true);
  if (s->info.length == 0) return;
  tcp_info_push(L, &s->info);
  lua_setfield(L, -2, "info");
}

static void sockets_push_unix(lua_State *L, const struct unix_listener *u) {
  char text[ADDRESS_TEXT];
  lua_createtable(L, 0, 8);
  field_set_string(L, "state", tcp_state_name(TCP_STATE_LISTEN));
  field_set_string(L, "family", "unix");
  field_set_string(L, "local_address", address_format(&u->local, text));
  field_set_integer(L, "retransmits", 0);
  field_set_boolean(L, "fin", false);
  field_set_boolean(L, "owned", true);
  field_set_integer(L, "inode", u->inode);
  lua_createtable(L, 0, 2);
  field_set_integer(L, "depth", u->depth);
  field_set_integer(L, "limit", u->limit);
  lua_setfield(L, -2, "queue");
}

/* Ports, peers and listeners of lunet's are TCP's. */
static bool sockets_wants_unix(const struct sock_diag_filter *f) {
  bool is_tcp = f->port != 0 || f->local_port != 0 || f->peer_port != 0 || f->mark != 0;
  return (f->states & 1u << TCP_STATE_LISTEN) && !is_tcp && f->owned != 0;
}

/* A kernel without unix_diag lists none. */
static int sockets_read_unix(int ns, const struct sock_diag_filter *f,
                             struct unix_listener_list *out) {
  int result = sockets_wants_unix(f) ? unix_listeners_read(ns, out) : 0;
  return result == -ENOENT ? 0 : result;
}

int sockets_list(lua_State *L) {
  lua_settop(L, FILTER);
  struct sock_diag_list found = {NULL, 0, 0};
  struct unix_listener_list paths = {NULL, 0, 0};
  struct sock_diag_filter filter = sockets_filter_argument(L);
  void **memory = memory_new(L), **paths_memory = memory_new(L);
  if (sockets_is_mistakable(L)) return sockets_push_mistakable(L);
  const host *h = host_or_home(L, HOST);
  int ns = h == NULL ? -1 : host_namespace(h);
  int result = sock_diag_read(ns, &filter, &found);
  if (result == 0) result = sockets_read_unix(ns, &filter, &paths);
  *memory = found.sockets;
  *paths_memory = paths.listeners;
  if (result < 0) return failure_push(L, result, "sockets");
  lua_createtable(L, (int)(found.count + paths.count), 0);
  for (size_t i = 0; i < found.count; i++) {
    sockets_push_socket(L, &found.sockets[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  for (size_t i = 0; i < paths.count; i++) {
    sockets_push_unix(L, &paths.listeners[i]);
    lua_rawseti(L, -2, (lua_Integer)(found.count + i) + 1);
  }
  memory_free(memory);
  memory_free(paths_memory);
  return 1;
}

/* An empty filter would destroy all connections of the host. */
static struct sock_diag_filter sockets_target_argument(lua_State *L) {
  lua_settop(L, FILTER);
  if (!lua_istable(L, FILTER)) misuse(L, "a table expected, not %s", luaL_typename(L, FILTER));
  lua_pushnil(L);
  if (lua_next(L, FILTER) == 0) misuse(L, "a field expected, such as { peer_port = 4000 }; not {}");
  lua_settop(L, FILTER);
  return sockets_filter_argument(L);
}

int sockets_destroy(lua_State *L) {
  size_t count;
  const host *h = host_check(L, HOST);
  struct sock_diag_filter filter = sockets_target_argument(L);
  struct sock_diag_list found = {NULL, 0, 0};
  void **memory = memory_new(L);
  int result = sock_diag_read(host_namespace(h), &filter, &found);
  *memory = found.sockets;
  if (result == 0) result = sock_destroy(host_namespace(h), &found, &count);
  if (result < 0) return failure_push(L, result, "destroy");
  memory_free(memory);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}
