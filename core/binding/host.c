#include "binding/host.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "binding/anchor.h"
#include "binding/box.h"
#include "binding/failure.h"
#include "binding/memory.h"
#include "binding/misuse.h"
#include "binding/task.h"
#include "binding/type.h"
#include "handle/trace.h"
#include "platform/file.h"
#include "platform/link.h"
#include "platform/namespace.h"
#include "platform/namespace_file.h"
#include "platform/socket.h"

const char HOST_TYPE[] = "lunet.host";

host *host_check(lua_State *L, int index) {
  host *h = box_check(L, index, HOST_TYPE);
  if (!handle_is_open(h)) misuse(L, "the host is closed");
  return h;
}

host *host_or_home(lua_State *L, int index) {
  return lua_isnil(L, index) ? NULL : host_check(L, index);
}

struct place host_place(lua_State *L, const host *h, const char *label) {
  if (label == NULL) label = host_name(h);
  return (struct place){
    .scope = task_scope(L),
    .host = host_number(h),
    .label = label == NULL ? 0 : trace_label(loop_trace(task_loop(L)), label),
  };
}

int host_push_refusal(lua_State *L, int result, const char *what) {
  bool is_limit = result == -ENOSPC && namespace_refused() != NULL;
  return is_limit ? failure_push_refusal(L, result, what) : failure_push(L, result, what);
}

int host_new(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  host **box = type_new_box(L, HOST_TYPE, 0);
  int result = host_open(task_loop(L), task_scope(L), name, box);
  if (result < 0) return host_push_refusal(L, result, lua_pushfstring(L, "host %s", name));
  anchor_add(L, -1, *box);
  return 1;
}

/* -- methods ------------------------------------------------------------------------------- */

static int host_push_name(lua_State *L) {
  host *h = box_check(L, 1, HOST_TYPE);
  lua_pushstring(L, h == NULL ? "(closed)" : host_name(h));
  return 1;
}

/* -- links --------------------------------------------------------------------------------- */

static int host_push_link_result(lua_State *L, int result, const char *what) {
  return failure_push_result(L, result, lua_pushfstring(L, "%s %s", what, lua_tostring(L, 2)));
}

int host_link(lua_State *L) {
  const char *link = luaL_checkstring(L, 2), *peer_link = luaL_checkstring(L, 4);
  host *h = host_check(L, 1), *peer = host_check(L, 3);
  int result = link_create_pair(host_routes(h), link, host_namespace(peer), peer_link);
  if (result == 0) result = link_set_up(host_routes(peer), peer_link);
  return host_push_link_result(L, result, "link");
}

int host_bridge(lua_State *L) {
  const char *bridge = luaL_checkstring(L, 2);
  host *h = host_check(L, 1);
  return host_push_link_result(L, link_create_bridge(host_routes(h), bridge), "bridge");
}

int host_attach(lua_State *L) {
  const char *link = luaL_checkstring(L, 2), *bridge = luaL_checkstring(L, 3);
  host *h = host_check(L, 1);
  return host_push_link_result(L, link_attach(host_routes(h), link, bridge), "attach");
}

int host_unlink(lua_State *L) {
  const char *link = luaL_checkstring(L, 2);
  host *h = host_check(L, 1);
  return host_push_link_result(L, link_delete(host_routes(h), link), "unlink");
}

int host_set_mtu(lua_State *L) {
  const char *link = luaL_checkstring(L, 2);
  uint32_t bytes = (uint32_t)luaL_checkinteger(L, 3);
  host *h = host_check(L, 1);
  return host_push_link_result(L, link_set_mtu(host_routes(h), link, bytes), "mtu");
}

int host_is_address(lua_State *L) {
  address a;
  bool is_text = lua_type(L, 1) == LUA_TSTRING;
  lua_pushboolean(L, is_text && address_parse_prefixed(lua_tostring(L, 1), &a) >= 0);
  return 1;
}

int host_is_within(lua_State *L) {
  address a, network;
  const char *text = luaL_checkstring(L, 1), *prefixed = luaL_checkstring(L, 2);
  int bits = address_parse_prefixed(prefixed, &network);
  if (bits < 0 || address_parse(text, &a) < 0)
    return misuse(L, "an address with a port and one with a prefix expected");
  lua_pushboolean(L, address_shares(&a, &network, bits));
  return 1;
}

static int host_prefixed_argument(lua_State *L, int index, address *out) {
  const char *text = luaL_checkstring(L, index);
  int prefix = address_parse_prefixed(text, out);
  if (prefix < 0) misuse(L, "\"%s\" is not an address with a prefix length", text);
  return prefix;
}

int host_add_addresses(lua_State *L) {
  address a;
  int count = lua_gettop(L);
  const char *link = luaL_checkstring(L, 2);
  for (int i = 3; i <= count; i++) host_prefixed_argument(L, i, &a);
  host *h = host_check(L, 1);
  int index = link_index(host_routes(h), link);
  if (index < 0) return host_push_link_result(L, index, "link");
  for (int i = 3; i <= count; i++) {
    int prefix =
      host_prefixed_argument(L, i, &a); /* no finalizer can run: the argument is a text by now */
    int result = link_add_address(host_routes(h), index, &a, prefix);
    if (result < 0)
      return failure_push(L, result, lua_pushfstring(L, "address %s", lua_tostring(L, i)));
  }
  lua_pushboolean(L, 1);
  return 1;
}

int host_add_route(lua_State *L) {
  address to, gateway;
  int prefix = host_prefixed_argument(L, 2, &to);
  host_prefixed_argument(L, 3, &gateway);
  luaL_argcheck(L, address_family(&to) == address_family(&gateway), 3, "both of one family");
  host *h = host_check(L, 1);
  return failure_push_result(L, link_add_route(host_routes(h), &to, prefix, &gateway), "route");
}

int host_link_is_up(lua_State *L) {
  const char *link = luaL_checkstring(L, 2);
  host *h = host_check(L, 1);
  int result = link_is_up(host_routes(h), link);
  if (result < 0) return host_push_link_result(L, result, "link");
  lua_pushboolean(L, result);
  return 1;
}

int host_answers_for(lua_State *L) {
  address a;
  const char *text = luaL_checkstring(L, 2);
  if (address_make(text, 0, &a) < 0) return misuse(L, "\"%s\" is not an address", text);
  host *h = host_check(L, 1);
  int result = link_answers_for(host_routes(h), &a);
  if (result < 0) return failure_push(L, result, lua_pushfstring(L, "address %s", text));
  lua_pushboolean(L, result);
  return 1;
}

/* -- files --------------------------------------------------------------------------------- */

static int host_namespace_argument(lua_State *L) {
  return lua_isnil(L, 1) ? -1 : host_namespace(host_check(L, 1));
}

int host_read_file(lua_State *L) {
  char *text = NULL;
  const char *path = luaL_checkstring(L, 2);
  void **memory = memory_new(L);
  ssize_t length = namespace_read_file(host_namespace_argument(L), path, &text);
  if (length < 0) return failure_push(L, length, path);
  *memory = text;
  lua_pushlstring(L, text, (size_t)length);
  memory_free(memory);
  return 1;
}

int host_write_file(lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 2);
  const char *text = luaL_checklstring(L, 3, &length);
  ssize_t written = namespace_write_file(host_namespace_argument(L), path, text, length);
  return failure_push_result(L, written, path);
}

/* Does not raise: the process is on another host. Leaves the path and the text of a failure on the
 * stack. */
static int host_write_all(lua_State *L) {
  int result = 0;
  struct file_folder folder = {0};
  lua_pushnil(L);
  while (result == 0 && lua_next(L, 2) != 0) {
    result = file_write_in(&folder, lua_tostring(L, -2), lua_tostring(L, -1));
    if (result == 0) lua_pop(L, 1);
  }
  file_leave(&folder);
  return result;
}

static void host_check_texts(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1))
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      misuse(L, "texts by their paths expected");
}

int host_write_files(lua_State *L) {
  host_check_texts(L);
  int result = namespace_enter(host_namespace(host_check(L, 1)));
  if (result < 0) return failure_push(L, result, "setns(2)");
  result = host_write_all(L);
  namespace_leave();
  if (result < 0) return failure_push(L, result, lua_tostring(L, -2));
  lua_pushboolean(L, 1);
  return 1;
}

/* Writes the text of each file, or nothing if it cannot be read, each followed by a zero byte. The
 * caller frees the memory. Does not raise: the stack has the paths from `first` on. */
static int host_read_all(lua_State *L, int first, char **texts) {
  enum { LONGEST = 4096 }; /* bytes of a setting: a page */
  char text[LONGEST];
  size_t size;
  struct file_folder folder = {0};
  FILE *out = open_memstream(texts, &size);
  if (out == NULL) return -ENOMEM;
  for (int i = first; i <= lua_gettop(L); i++) {
    file_read_in(&folder, lua_tostring(L, i), text, sizeof text);
    fwrite(text, strlen(text) + 1, 1, out);
  }
  file_leave(&folder);
  return fclose(out) == 0 ? 0 : -ENOMEM;
}

int host_read_files(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int count = (int)luaL_len(L, 1);
  char *texts = NULL;
  lua_createtable(L, 0, count);
  void **memory = memory_new(L);
  int first = lua_gettop(L) + 1;
  luaL_checkstack(L, count + 2, "paths");
  for (int i = 1; i <= count; i++)
    if (lua_rawgeti(L, 1, i) != LUA_TSTRING) misuse(L, "a list of paths expected");
  int result = host_read_all(L, first, &texts);
  *memory = texts;
  if (result < 0) return luaL_error(L, "read_files: not enough memory");
  const char *text = texts;
  for (int i = first; i < first + count; i++, text += strlen(text) + 1) {
    if (*text == '\0') continue;
    lua_pushvalue(L, i);
    lua_pushstring(L, text);
    lua_rawset(L, 2);
  }
  memory_free(memory);
  lua_settop(L, 2);
  return 1;
}

/* -- queues -------------------------------------------------------------------------------- */

/* Asks a socket, since the host's /proc may not show net.core.somaxconn. */
int host_queue_limit(lua_State *L) {
  uint32_t limit = 0;
  int fd = host_socket(host_check(L, 1), AF_INET, 0);
  int result = fd < 0 ? fd : socket_queue_limit(fd, &limit);
  if (fd >= 0) socket_close(fd);
  if (result < 0) return failure_push(L, result, "queue_limit");
  lua_pushinteger(L, limit);
  return 1;
}

/* -- home ---------------------------------------------------------------------------------- */

int host_set_home(lua_State *L) {
  if (lua_isinteger(L, 1)) {
    int result = namespace_restore_home((int)lua_tointeger(L, 1));
    return failure_push_result(L, result, "home");
  }
  int before = namespace_set_home(host_namespace(host_check(L, 1)));
  if (before < 0) return failure_push(L, before, "home");
  lua_pushinteger(L, before);
  return 1;
}

int host_refused(lua_State *L) {
  lua_pushstring(L, namespace_refused());
  return 1;
}

int host_stay(lua_State *L) {
  namespace_stay(lua_isnone(L, 1) || lua_toboolean(L, 1));
  lua_pushboolean(L, 1);
  return 1;
}

int host_is_host(lua_State *L) {
  host **box = type_test(L, 1, HOST_TYPE);
  lua_pushboolean(L, box != NULL);
  lua_pushboolean(L, box != NULL && handle_is_open(*box));
  return 2;
}

int host_number_of(lua_State *L) {
  lua_pushinteger(L, host_number(box_check(L, 1, HOST_TYPE)));
  return 1;
}

static const luaL_Reg methods[] = {{"name", host_push_name}, {NULL, NULL}};

void host_open_type(lua_State *L) { box_open_type(L, HOST_TYPE, methods, NULL); }
