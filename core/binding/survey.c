#include "binding/survey.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "binding/address.h"
#include "binding/failure.h"
#include "binding/field.h"
#include "binding/host.h"
#include "binding/memory.h"
#include "platform/socket_owner.h"
#include "platform/survey.h"
#include "platform/unix_clients.h"
#include "platform/unix_listeners.h"

/* -- TCP ----------------------------------------------------------------------------------- */

static void survey_push_listener(lua_State *L, const struct survey_listener *l) {
  lua_createtable(L, 0, 10);
  address_set_fields(L, "address", "port", &l->local);
  field_set_integer(L, "inode", l->inode);
  field_set_integer(L, "uid", l->uid);
  field_set_integer(L, "depth", l->depth);
  if (l->is_there_later) field_set_integer(L, "later", l->later);
  field_set_integer(L, "limit", l->limit);
  if (l->drops >= 0) field_set_integer(L, "drops", l->drops);
  if (l->is_mptcp) field_set_boolean(L, "mptcp", true);
}

static void survey_push_queue(lua_State *L, const struct survey *s, const struct survey_queue *q) {
  lua_createtable(L, 0, 9);
  field_set_string(L, "family",
                   address_family(&s->listeners[q->first].local) == AF_INET ? "ipv4" : "ipv6");
  field_set_integer(L, "listed", q->listed);
  field_set_integer(L, "left", q->left);
  field_set_integer(L, "hidden", q->hidden);
  field_set_integer(L, "half_open", q->half_open);
  field_set_integer(L, "bytes", (lua_Integer)q->bytes);
  field_set_number(L, "oldest", q->oldest_ms / 1e3);
  field_set_integer(L, "digest", (lua_Integer)q->digest);
  lua_createtable(L, (int)q->count, 0);
  for (size_t i = 0; i < q->count; i++) {
    survey_push_listener(L, &s->listeners[q->first + i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "listeners");
}

static void survey_push_client(lua_State *L, const struct survey_client *c) {
  lua_createtable(L, 0, 8);
  address_set_fields(L, "address", "port", &c->peer);
  field_set_integer(L, "inode", c->inode);
  field_set_integer(L, "connecting", c->connecting);
  field_set_integer(L, "waiting", c->waiting);
  field_set_integer(L, "queued", c->queued);
  field_set_integer(L, "bytes", (lua_Integer)c->bytes);
  field_set_number(L, "oldest", c->oldest_ms / 1e3);
}

/* -- Unix ---------------------------------------------------------------------------------- */

static void survey_push_unix(lua_State *L, int ns, const struct unix_listener *u) {
  char text[ADDRESS_TEXT];
  uint32_t left = 0;
  int result = u->depth == 0 ? 0 : unix_clients_count_left(ns, u->inode, &left);
  lua_createtable(L, 0, 5);
  field_set_string(L, "address", address_format(&u->local, text));
  field_set_integer(L, "inode", u->inode);
  field_set_integer(L, "depth", u->depth);
  field_set_integer(L, "limit", u->limit);
  if (result == 0) field_set_integer(L, "left", left);
}

/* A kernel without unix_diag lists none. */
static int survey_read_unix(int ns, struct unix_listener_list *out) {
  int result = unix_listeners_read(ns, out);
  return result == -ENOENT ? 0 : result;
}

/* -- all of it ----------------------------------------------------------------------------- */

/* The memory of a survey that Lua frees if an error is raised. */
enum { MEMORIES = 4 };

static void survey_keep(void **memories[MEMORIES], const struct survey *s,
                        const struct unix_listener_list *paths) {
  *memories[0] = s->queues;
  *memories[1] = s->listeners;
  *memories[2] = s->clients;
  *memories[3] = paths->listeners;
}

static void survey_push_lists(lua_State *L, int ns, const struct survey *s,
                              const struct unix_listener_list *paths) {
  lua_createtable(L, 0, 3);
  lua_createtable(L, (int)s->queue_count, 0);
  for (size_t i = 0; i < s->queue_count; i++) {
    survey_push_queue(L, s, &s->queues[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "queues");
  lua_createtable(L, (int)paths->count, 0);
  for (size_t i = 0; i < paths->count; i++) {
    survey_push_unix(L, ns, &paths->listeners[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "paths");
  lua_createtable(L, (int)s->client_count, 0);
  for (size_t i = 0; i < s->client_count; i++) {
    survey_push_client(L, &s->clients[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "clients");
}

int survey_push(lua_State *L) {
  struct survey taken = {0};
  struct unix_listener_list paths = {NULL, 0, 0};
  void **memories[MEMORIES];
  lua_settop(L, 1);
  for (int i = 0; i < MEMORIES; i++) memories[i] = memory_new(L);
  const host *h = host_or_home(L, 1);
  int ns = h == NULL ? -1 : host_namespace(h);
  int result = survey_take(ns, &taken);
  if (result == 0) result = survey_read_unix(ns, &paths);
  survey_keep(memories, &taken, &paths);
  if (result < 0) return failure_push(L, result, "survey");
  survey_push_lists(L, ns, &taken, &paths);
  for (int i = 0; i < MEMORIES; i++) memory_free(memories[i]);
  return 1;
}

/* -- owners -------------------------------------------------------------------------------- */

static void survey_push_owner(lua_State *L, const struct socket_owner *o) {
  lua_createtable(L, 0, 2);
  field_set_integer(L, "pid", o->number);
  field_set_string(L, "program", o->name);
}

int survey_push_owners(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  size_t count = lua_rawlen(L, 1);
  struct socket_owner *owners = lua_newuserdatauv(L, (count + 1) * sizeof *owners, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    owners[i].inode = (uint32_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
  }
  int result = count == 0 ? 0 : socket_owner_find_all(owners, count);
  if (result < 0) return failure_push(L, result, "socket_owners");
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    if (owners[i].number == 0) continue;
    survey_push_owner(L, &owners[i]);
    lua_rawseti(L, -2, owners[i].inode);
  }
  return 1;
}
